"""JSON that is nested deeper than a decoder goes: read without its depths, so that no object can stop or delay a program.

Everybody who may write an object may write its `metadata.managedFields`, and the API server takes those at any depth. Decoders
count on a stack and raise RecursionError. Nothing that a program reads is nested half as deep as what is cut off here.

Flows in: a body. Flows out: the same JSON with `null` for each value that is nested too deep. Brackets are counted in chunks,
and the event loop runs other tasks after some chunks, because an object may have a MiB of brackets. A chunk that stays above
the cut, or below it, is counted as a whole. Bounded: the stack is not used, and memory has the body and its parts.
"""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """How deep JSON may be nested, and how it is read where it is deeper."""

    max_depth: int = 100
    """Values that are nested no deeper are kept."""
    cut_depth: int = 500
    """Values that are nested this deep are cut off. In between chance decides, so nobody can make one depth costly."""
    chunk_bytes: int = 512
    """Size of a chunk, which continues to the end of a string in it."""
    chunks_per_turn: int = 32
    """Chunks that are read before other tasks run: half a millisecond, at most two."""


LIMITS = Limits()

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKENS = re.compile(_STRING.pattern + rb"|(?P<opening>[\[{])|(?P<closing>[\]}])", re.DOTALL)

_ONE_SORT = bytes.maketrans(b"[]", b"{}")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

T = TypeVar("T")


async def decoded_at_any_depth(decode: Callable[[Any], T], body: bytes | msgspec.Raw) -> T:
    """The result of `decode`, where need be without values that are nested too deep; other tasks run meanwhile."""
    try:
        return decode(body)
    except RecursionError:
        return decode(await _shallow_in_turns(bytes(body)))


def shallow(body: bytes, limits: Limits = LIMITS) -> bytes:
    """The same JSON with `null` for every value that is nested too deep. It uses no stack."""
    cut = DepthCut(body, limits)
    for chunk in chunks(body, limits.chunk_bytes):
        cut.add(chunk)
    return cut.result()


async def _shallow_in_turns(body: bytes, limits: Limits = LIMITS) -> bytes:
    cut = DepthCut(body, limits)
    for number, chunk in enumerate(chunks(body, limits.chunk_bytes)):
        if number % limits.chunks_per_turn == 0:
            await asyncio.sleep(0)
        cut.add(chunk)
    return cut.result()


class Chunk(NamedTuple):
    """A part of a body that begins and ends outside of strings, with its numbers of unpaired brackets."""

    start: int
    end: int
    opening: int
    closing: int


def chunks(body: bytes, chunk_bytes: int = LIMITS.chunk_bytes) -> Iterator[Chunk]:
    """The body from its start to its end."""
    end = 0
    while end < len(body):
        start = end
        text = body[start : start + chunk_bytes].replace(rb"\\", b"__").replace(rb"\"", b"__")
        parts = text.split(b'"')
        is_in_string = len(parts) % 2 == 0
        end = _end_of_string(body, start + text.rindex(b'"')) if is_in_string else start + len(text)
        brackets = b"".join(parts[::2]).translate(_ONE_SORT, _NO_BRACKETS)
        unpaired = brackets.replace(b"{}", b"").replace(b"{}", b"")
        opening = unpaired.count(b"{")
        yield Chunk(start, end, opening, len(unpaired) - opening)


def _end_of_string(body: bytes, start: int) -> int:
    string = _STRING.match(body, start)
    return string.end() if string else len(body)


class DepthCut:
    """Leaves out the values of a body that are nested too deep, chunk by chunk from its start."""

    def __init__(self, body: bytes, limits: Limits = LIMITS) -> None:
        self._body = body
        self._max_depth = random.randrange(limits.max_depth, limits.cut_depth)  # noqa: S311 it need not be hard to guess twice
        self._depth = 0
        self._parts: list[bytes] = []
        self._kept_from = 0
        self.examined_bytes = 0
        """The bytes of all chunks whose brackets were examined one by one."""

    def result(self) -> bytes:
        """The body with `null` in the place of each value that was left out."""
        return b"".join((*self._parts, self._body[self._kept_from :]))

    def add(self, chunk: Chunk) -> None:
        """Continue with the next chunk."""
        if self._depth + chunk.opening <= self._max_depth or self._depth - chunk.closing > self._max_depth:
            self._depth += chunk.opening - chunk.closing
        else:
            self._examine(chunk)

    def _examine(self, chunk: Chunk) -> None:
        """Follow each bracket of the chunk."""
        self.examined_bytes += chunk.end - chunk.start
        for token in _TOKENS.finditer(self._body, chunk.start, chunk.end):
            match token.lastgroup:
                case "opening":
                    self._depth += 1
                    if self._depth == self._max_depth + 1:
                        self._leave_out_from(token.start())
                case "closing":
                    if self._depth == self._max_depth + 1:
                        self._kept_from = token.end()
                    self._depth -= 1

    def _leave_out_from(self, place: int) -> None:
        self._parts += self._body[self._kept_from : place], b"null"
        self._kept_from = len(self._body)
