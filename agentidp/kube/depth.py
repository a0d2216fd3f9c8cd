"""JSON that is nested deeper than a decoder goes: read without its depths, so that no object can stop a program.

Whoever may write any object may write its `metadata.managedFields`, and the API server takes those at any depth. Decoders count
on Python's stack and raise RecursionError. Nothing that a program reads is nested half as deep as what is cut off here.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

MAX_DEPTH = 100

_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]')

T = TypeVar("T")


def decoded_at_any_depth(decode: Callable[[Any], T], body: bytes | msgspec.Raw) -> T:
    """What `decode` makes of the body, where need be without what is nested too deep."""
    try:
        return decode(body)
    except RecursionError:
        return decode(shallow(bytes(body)))


def shallow(body: bytes) -> bytes:
    """The same JSON with `null` for whatever is nested deeper than `MAX_DEPTH`; it takes no stack."""
    kept: list[bytes] = []
    depth = begin = 0
    for token in _TOKENS.finditer(body):
        match token[0]:
            case b"{" | b"[":
                depth += 1
                if depth == MAX_DEPTH + 1:
                    kept += body[begin : token.start()], b"null"
            case b"}" | b"]":
                if depth == MAX_DEPTH + 1:
                    begin = token.end()
                depth -= 1
    return b"".join((*kept, body[begin:]))
