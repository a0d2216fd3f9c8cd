"""Where a request ends, against request smuggling (RFC 9112, section 11.2).

A head gets an error where another program could see the request end elsewhere. Pure. llhttp decides what each byte may be
(line ends, whitespace, lengths, chunk sizes), and is strict; this module checks what llhttp lets pass. `protocol` joins both.
Decision 31 says why.
"""

import re
from functools import lru_cache
from typing import NamedTuple

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, values without whitespace around them, in the order in which they came."""

HTTP_1_0, HTTP_1_1 = "1.0", "1.1"
SINGLETONS = (b"host", b"content-length", b"transfer-encoding")
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:._~-]+\]|[\w.~!$&'()*+,;=%-]*)(?::[0-9]*)?", re.ASCII)
_MAX_CACHED_HOST_BYTES = 300
"""A registered name has 255 octets at most (RFC 3986, section 3.2.2), and a port follows it."""
_ANOTHER_PROTOCOL = re.compile(rb"[\r\n]*+[^ \r\n]++ ++[^ \r\n]++ ++(?!HTTP/)")
_ABSOLUTE_FORM = re.compile(rb"https?://([^/?#@]+)([/?].*)?", re.ASCII | re.IGNORECASE)


class ErrorResponse(NamedTuple):
    """The status and text of the answer that ends a connection."""

    status: int
    text: bytes


MALFORMED = ErrorResponse(400, b"The request is not valid HTTP.")
NO_HOST = ErrorResponse(400, b"A request of HTTP/1.1 has exactly one valid Host.")
REPEATED_HEADER = ErrorResponse(400, b"A header that decides about the end or the host of the request is there twice.")
TRANSFER_ENCODING = ErrorResponse(400, b"Transfer-Encoding may be there in HTTP/1.1 only, and without Content-Length.")
TRANSFER_CODING = ErrorResponse(501, b"The only transfer coding that is known is chunked.")
TARGET = ErrorResponse(400, b"The target of the request is neither a path nor a URL.")
CONNECT = ErrorResponse(501, b"This is no proxy.")
VERSION = ErrorResponse(505, b"Only HTTP/1.1 and HTTP/1.0 are spoken here.")
LARGE_HEAD = ErrorResponse(431, b"The head of the request is too large.")
LARGE_REQUEST = ErrorResponse(413, b"The request is too large.")


def head_error(version: str, headers: Headers, values: dict[bytes, bytes]) -> ErrorResponse | None:
    """The error of a head; None where the request can be served. `values` has the last value of each header.

    Host: RFC 9112, section 3.2. Transfer-Encoding: sections 6.1 and 6.3; a list of codings is an error, too (501).
    """
    if version != HTTP_1_1 and version != HTTP_1_0:  # noqa: PLR1714 two comparisons are faster than a tuple
        return VERSION
    if len(values) != len(headers) and _has_repeated_singleton(headers):
        return REPEATED_HEADER
    host = values.get(b"host")
    if (host is None and version == HTTP_1_1) or (host and not _is_host(host)):
        return NO_HOST
    coding = values.get(b"transfer-encoding")
    return None if coding is None else _coding_error(version, coding, values)


def names_another_protocol(received: bytes | bytearray) -> bool:
    """Whether these bytes begin with a request line that does not name HTTP (RFC 9112, section 2.3).

    llhttp also takes RTSP and ICE, and does not say which it has seen, or where.
    """
    return _ANOTHER_PROTOCOL.match(received) is not None


def host_and_path(target: bytes) -> tuple[bytes, bytes] | None:
    """Host and path of a target in absolute form (RFC 9112, 3.2.2); None for no URL, or one with a user (RFC 9110, 4.2.4)."""
    match = _ABSOLUTE_FORM.fullmatch(target)
    if not match or not _is_host(match[1]):
        return None
    path = match[2] or b"/"
    return match[1], path if path.startswith(b"/") else b"/" + path


def head_without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """The same head without Upgrade, which a server may ignore (RFC 9110, section 7.8)."""
    lines = [b"%b %b HTTP/%b" % (method, target, version.encode())]
    lines += [b"%b: %b" % header for header in headers if header[0] != b"upgrade"]
    return b"\r\n".join([*lines, b"", b""])


def _is_host(value: bytes) -> bool:
    """Whether this is a valid host. Long ones are not cached: a client can send many different ones."""
    return _is_short_host(value) if len(value) <= _MAX_CACHED_HOST_BYTES else _HOST.fullmatch(value) is not None


@lru_cache(maxsize=256)
def _is_short_host(value: bytes) -> bool:
    """Cached, because the match takes longer than all other checks, and hosts are few."""
    return _HOST.fullmatch(value) is not None


def _has_repeated_singleton(headers: Headers) -> bool:
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in SINGLETONS)


def _coding_error(version: str, coding: bytes, values: dict[bytes, bytes]) -> ErrorResponse | None:
    if version == HTTP_1_0 or b"content-length" in values:
        return TRANSFER_ENCODING
    return None if coding.lower() == b"chunked" else TRANSFER_CODING
