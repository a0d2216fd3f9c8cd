"""JSON that is nested deeper than a decoder goes: read without its depths, so that no object can stop a program or hold it up.

Whoever may write any object may write its `metadata.managedFields`, and the API server takes those at any depth. Decoders count
on a stack and raise RecursionError. Nothing that a program reads is nested half as deep as what is cut off here.

What is deep can only be found by going through all brackets of an object, which may have a MiB of them. So that is done some
KiB at a time, and stretches that stay above the cut, or below it, are counted without looking at each bracket.
"""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

MAX_DEPTH = 100
"""What is nested no deeper is kept."""
LOWEST_CUT = 5 * MAX_DEPTH
"""What is nested deeper is cut off. Where between, chance decides: at a place that were known all could be made to linger."""
STRETCH = 512
"""Bytes, or up to the end of the string that they end in."""
BITE = 32
"""Stretches that are gone through before others are served: half a millisecond, and never more than two."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKENS = re.compile(_STRING.pattern + rb"|(?P<opening>[\[{])|(?P<closing>[\]}])", re.DOTALL)

_ONE_SORT = bytes.maketrans(b"[]", b"{}")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

T = TypeVar("T")


async def decoded_at_any_depth(decode: Callable[[Any], T], body: bytes | msgspec.Raw) -> T:
    """What `decode` makes of the body, where need be without what is nested too deep; others are served meanwhile."""
    try:
        return decode(body)
    except RecursionError:
        return decode(await _shallow_in_bites(bytes(body)))


def shallow(body: bytes) -> bytes:
    """The same JSON with `null` for whatever is nested too deep; it takes no stack."""
    cut = _Cut(body)
    for stretch in _stretches(body):
        cut.pass_over(stretch)
    return cut.kept()


async def _shallow_in_bites(body: bytes) -> bytes:
    cut = _Cut(body)
    for number, stretch in enumerate(_stretches(body)):
        if number % BITE == 0:
            await asyncio.sleep(0)
        cut.pass_over(stretch)
    return cut.kept()


class _Stretch(NamedTuple):
    """A part of a body that begins and ends outside of strings, with the brackets that it has there."""

    start: int
    end: int
    opening: int
    closing: int


def _stretches(body: bytes) -> Iterator[_Stretch]:
    """The body from its begin to its end."""
    end = 0
    while end < len(body):
        start = end
        text = body[start : start + STRETCH].replace(rb"\\", b"__").replace(rb"\"", b"__")
        parts = text.split(b'"')
        is_in_string = len(parts) % 2 == 0
        end = _end_of_string(body, start + text.rindex(b'"')) if is_in_string else start + len(text)
        brackets = b"".join(parts[::2]).translate(_ONE_SORT, _NO_BRACKETS)
        unpaired = brackets.replace(b"{}", b"").replace(b"{}", b"")
        opening = unpaired.count(b"{")
        yield _Stretch(start, end, opening, len(unpaired) - opening)


def _end_of_string(body: bytes, start: int) -> int:
    string = _STRING.match(body, start)
    return string.end() if string else len(body)


class _Cut:
    """What is kept of a body, when it is gone through from its begin to its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._deepest = random.randrange(MAX_DEPTH, LOWEST_CUT)  # noqa: S311 it need not be hard to guess twice
        self._depth = 0
        self._parts: list[bytes] = []
        self._kept_from = 0

    def kept(self) -> bytes:
        """The same with `null` in the place of each value that is left out."""
        return b"".join((*self._parts, self._body[self._kept_from :]))

    def pass_over(self, stretch: _Stretch) -> None:
        """The next one."""
        if self._depth + stretch.opening <= self._deepest or self._depth - stretch.closing > self._deepest:
            self._depth += stretch.opening - stretch.closing
        else:
            self._look_at(stretch)

    def _look_at(self, stretch: _Stretch) -> None:
        """At each of its brackets."""
        for token in _TOKENS.finditer(self._body, stretch.start, stretch.end):
            match token.lastgroup:
                case "opening":
                    self._depth += 1
                    if self._depth == self._deepest + 1:
                        self._leave_out_from(token.start())
                case "closing":
                    if self._depth == self._deepest + 1:
                        self._kept_from = token.end()
                    self._depth -= 1

    def _leave_out_from(self, place: int) -> None:
        self._parts += self._body[self._kept_from : place], b"null"
        self._kept_from = len(self._body)
