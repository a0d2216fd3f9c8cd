"""Where a request ends, as RFC 9112 has it: which heads are refused because another program could read their end differently.

Pure. llhttp decides what each byte may be (line ends, whitespace, lengths, chunk sizes), and is strict; this module checks what
llhttp lets pass. `protocol` joins both, and `docs/decisions/0031-request-framing.md` says why.
"""

import re
from functools import lru_cache
from typing import NamedTuple

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, values without whitespace around them, in the order in which they came."""

HTTP_1_0, HTTP_1_1 = "1.0", "1.1"
ONLY_ONCE = (b"host", b"content-length", b"transfer-encoding")
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:._~-]+\]|[\w.~!$&'()*+,;=%-]*)(?::[0-9]*)?", re.ASCII)
_ABSOLUTE_FORM = re.compile(rb"https?://([^/?#@]+)([/?].*)?", re.ASCII | re.IGNORECASE)
_ANOTHER_PROTOCOL = re.compile(rb"[A-Z_-] +([^ \r\n]+) +(?:RTSP|ICE)/[0-9]\.[0-9]\r\n")


class Refusal(NamedTuple):
    """What a connection ends with."""

    status: int
    text: bytes


MALFORMED = Refusal(400, b"The request is not valid HTTP.")
NO_HOST = Refusal(400, b"A request of HTTP/1.1 has exactly one valid Host.")
TWICE = Refusal(400, b"A header that decides about the end or the host of the request is there twice.")
TRANSFER_ENCODING = Refusal(400, b"Transfer-Encoding may be there in HTTP/1.1 only, and without Content-Length.")
TRANSFER_CODING = Refusal(501, b"The only transfer coding that is known is chunked.")
TARGET = Refusal(400, b"The target of the request is neither a path nor a URL.")
CONNECT = Refusal(501, b"This is no proxy.")
VERSION = Refusal(505, b"Only HTTP/1.1 and HTTP/1.0 are spoken here.")
LARGE_HEAD = Refusal(431, b"The head of the request is too large.")
LARGE_REQUEST = Refusal(413, b"The request is too large.")


def refusal_of(version: str, headers: Headers, values: dict[bytes, bytes]) -> Refusal | None:
    """Why a request with this head cannot be served; None if it can. `values` has the last value of each header.

    Host: RFC 9112, section 3.2. Transfer-Encoding: sections 6.1 and 6.3; a list of codings is refused, too (501).
    """
    if version != HTTP_1_1 and version != HTTP_1_0:  # noqa: PLR1714 two comparisons are faster than a tuple
        return VERSION
    if len(values) != len(headers) and _has_twice(headers):
        return TWICE
    host = values.get(b"host")
    if (host is None and version == HTTP_1_1) or (host and not _is_host(host)):
        return NO_HOST
    coding = values.get(b"transfer-encoding")
    return None if coding is None else _refusal_of_coding(version, coding, values)


def speaks_http(head: bytes | bytearray, target: bytes) -> bool:
    """Whether the name before the version is HTTP (RFC 9112, section 2.3): llhttp also takes RTSP and ICE, and tells nobody.

    `head` may have other requests before it. A line that looks like the request line of this target is taken for it.
    """
    if b"RTSP/" not in head and b"ICE/" not in head:
        return True
    return all(match[1] != target for match in _ANOTHER_PROTOCOL.finditer(head))


def host_and_path(target: bytes) -> tuple[bytes, bytes] | None:
    """Of a target in absolute form (RFC 9112, 3.2.2); None if it is no URL, or one with a user (RFC 9110, 4.2.4)."""
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


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    """Remembers: matching takes longer than all else here, and hosts are few."""
    return _HOST.fullmatch(value) is not None


def _has_twice(headers: Headers) -> bool:
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in ONLY_ONCE)


def _refusal_of_coding(version: str, coding: bytes, values: dict[bytes, bytes]) -> Refusal | None:
    if version == HTTP_1_0 or b"content-length" in values:
        return TRANSFER_ENCODING
    return None if coding.lower() == b"chunked" else TRANSFER_CODING
