"""Requests whose end two programs could see at different places, as hypothesis makes them, with the clause that decides each.

A request without a clause is one that h11 and hyper must understand alike. A request with a clause is decided by it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

PADDED = b"X-Extra: \t padded \t "
HTTP_1_1, HTTP_1_0 = b"HTTP/1.1", b"HTTP/1.0"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
LAST_UNDERSTOOD = b"GET /last host=h 0 " + hashlib.sha256(b"").hexdigest()[:16].encode()
ANOTHER_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
UPGRADES = [
    b"h2c",
    b"HTTP/2.0",
    b"websocket",
    b"TLS/1.0",
    b"tls",
    b"IRC/6.9, RTA/x11",
    b"CONNECT-UDP",
    b"connect-ip",
    b"WebSocket",
]
"""Of the registry of upgrade tokens (RFC 9110, section 16.7), and some more."""


@dataclass(frozen=True)
class Message:
    """One request."""

    method: bytes = b"GET"
    target: bytes = b"/"
    version: bytes = HTTP_1_1
    lines: tuple[bytes, ...] = (b"Host: h",)
    body: bytes = b""
    """What it means."""
    content: bytes = b""
    """How it is sent."""
    before: bytes = b""
    line_end: bytes = b"\r\n"
    is_last: bool = False
    clause: str = ""
    is_refused: bool = False
    host: bytes | None = b"h"

    @property
    def data(self) -> bytes:
        """All of it."""
        start = b"%b %b %b" % (self.method, self.target, self.version)
        return self.before + self.line_end.join([start, *self.lines, b"", b""]) + self.content

    @property
    def understood(self) -> bytes:
        """What the echoing application tells of it."""
        path = b"/" + self.target.partition(b"://")[2].partition(b"/")[2] if b"://" in self.target else self.target
        host = [] if self.host is None else [b"host=" + self.host]
        extra = [b"x-extra=padded"] * self.lines.count(PADDED)
        digest = hashlib.sha256(self.body).hexdigest()[:16].encode()
        return b" ".join([self.method, path.partition(b"?")[0], *host, *extra, str(len(self.body)).encode(), digest])

    def having(self, *lines: bytes) -> "Message":
        """With these lines, too."""
        return replace(self, lines=self.lines + lines)

    def without(self, name: bytes) -> "Message":
        """Without such lines."""
        return replace(self, lines=tuple(line for line in self.lines if not line.lower().startswith(name + b":")))

    def decided(self, clause: str, **changes: object) -> "Message":
        """Changed, and served by this clause."""
        return replace(self, clause=clause, **changes)  # type: ignore[arg-type]

    def refused(self, clause: str, **changes: object) -> "Message":
        """Changed, and refused by this clause."""
        return replace(self, clause=clause, is_refused=True, **changes)  # type: ignore[arg-type]


def chunked(
    body: bytes, *, size: bytes = b"%x", extension: bytes = b"", after: bytes = b"\r\n", trailers: bytes = b""
) -> bytes:
    """In chunks of up to nine bytes."""
    chunks = [body[place : place + 9] for place in range(0, len(body), 9)]
    return b"".join(size % len(one) + extension + b"\r\n" + one + after for one in chunks) + b"0\r\n" + trailers + b"\r\n"


def with_length(message: Message) -> Message:
    """Content-Length."""
    return replace(message.having(b"Content-Length: %d" % len(message.body)), content=message.body)


def in_chunks(message: Message, **options: bytes) -> Message:
    """Transfer-Encoding."""
    return replace(message.having(b"Transfer-Encoding: chunked"), content=chunked(message.body, **options))


def _plain(message: Message) -> Message:
    return replace(message, body=b"")


FRAMINGS: dict[str, Callable[[Message], Message]] = {
    "no body": _plain,
    "Content-Length": with_length,
    "Content-Length, whitespace around it": lambda one: replace(
        one.having(b"Content-Length: \t%d \t" % len(one.body)), content=one.body
    ),
    "chunked": in_chunks,
    "Chunked": lambda one: replace(one.having(b"transfer-encoding:  Chunked "), content=chunked(one.body)),
    "chunks with sizes in capitals and zeros before": lambda one: in_chunks(one, size=b"00%X"),
    "chunks with extensions": lambda one: in_chunks(one, extension=b';a=b;c="\\"; d"'),
    "trailers": lambda one: in_chunks(one, trailers=b"X-Extra: 1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nHost: other\r\n"),
}

BODIED = {b"POST", b"PUT", b"PATCH", b"DELETE"}
FAULTS: dict[str, Callable[[Message], Message]] = {
    "no Host": lambda one: one.without(b"host").refused("RFC 9112, 3.2: 400"),
    "two Hosts": lambda one: one.having(b"Host: h").refused("RFC 9112, 3.2: 400"),
    "two different Hosts": lambda one: one.having(b"Host: other").refused("RFC 9112, 3.2: 400"),
    "an invalid Host": lambda one: one.without(b"host").having(b"Host: a b").refused("RFC 9112, 3.2: 400"),
    "a path in the Host": lambda one: one.without(b"host").having(b"Host: a/b").refused("RFC 9112, 3.2: 400"),
    "Content-Length before Transfer-Encoding": lambda one: in_chunks(one.having(b"Content-Length: 3")).refused(
        "RFC 9112, 6.1: a server may reject both"
    ),
    "Transfer-Encoding before Content-Length": lambda one: (
        in_chunks(one).having(b"Content-Length: 3").refused("RFC 9112, 6.1: a server may reject both")
    ),
    "two different lengths": lambda one: with_length(one).having(b"Content-Length: 1000").refused("RFC 9112, 6.3, item 5"),
    "the same length twice": lambda one: (
        with_length(one).having(b"Content-Length: %d" % len(one.body)).refused("RFC 9110, 8.6: may be rejected")
    ),
    "a list of lengths": lambda one: one.having(b"Content-Length: 3, 3").refused(
        "RFC 9110, 8.6: may be rejected", content=b"abc"
    ),
    "a signed length": lambda one: one.having(b"Content-Length: +3").refused("RFC 9112, 6.3, item 5", content=b"abc"),
    "a hexadecimal length": lambda one: one.having(b"Content-Length: 0x3").refused("RFC 9112, 6.3, item 5", content=b"abc"),
    "two numbers": lambda one: one.having(b"Content-Length: 3 3").refused("RFC 9112, 6.3, item 5", content=b"abc"),
    "no number": lambda one: one.having(b"Content-Length:").refused("RFC 9112, 6.3, item 5", content=b"abc"),
    "a length beyond all": lambda one: one.having(b"Content-Length: 18446744073709551619").refused("RFC 9110, 8.6: overflow"),
    "gzip and chunked": lambda one: one.having(b"Transfer-Encoding: gzip, chunked").refused(
        "RFC 9112, 6.1: 501", content=b"0\r\n\r\n"
    ),
    "chunked and gzip": lambda one: one.having(b"Transfer-Encoding: chunked, gzip").refused(
        "RFC 9112, 6.3, item 4", content=b"0\r\n\r\n"
    ),
    "chunked twice": lambda one: one.having(b"Transfer-Encoding: chunked, chunked").refused(
        "RFC 9112, 6.1", content=b"0\r\n\r\n"
    ),
    "chunked in two lines": lambda one: in_chunks(one).having(b"Transfer-Encoding: chunked").refused("RFC 9112, 6.1"),
    "identity": lambda one: one.having(b"Transfer-Encoding: identity").refused("RFC 9112, 6.3, item 4"),
    "no coding": lambda one: one.having(b"Transfer-Encoding:").refused("RFC 9112, 6.3, item 4"),
    "nearly chunked": lambda one: one.having(b"Transfer-Encoding: xchunked").refused(
        "RFC 9112, 6.3, item 4", content=b"0\r\n\r\n"
    ),
    "chunked in quotes": lambda one: one.having(b'Transfer-Encoding: "chunked"').refused(
        "RFC 9112, 6.3, item 4", content=b"0\r\n\r\n"
    ),
    "chunked with a parameter": lambda one: one.having(b"Transfer-Encoding: chunked;a=b").refused(
        "RFC 9112, 7.1", content=b"0\r\n\r\n"
    ),
    "chunked in HTTP/1.0": lambda one: in_chunks(one).refused("RFC 9112, 6.1: faulty framing", version=HTTP_1_0),
    "a folded line": lambda one: one.having(b"X-Extra: a", b" b").refused("RFC 9112, 5.2: 400"),
    "a line folded into Transfer-Encoding": lambda one: one.having(b"Transfer-Encoding:", b" chunked").refused(
        "RFC 9112, 5.2: 400"
    ),
    "whitespace before the first header": lambda one: replace(one, lines=(b" X-Extra: a", *one.lines)).refused("RFC 9112, 2.2"),
    "lines that end in LF": lambda one: one.refused("RFC 9112, 2.2: LF alone may be taken for a line's end", line_end=b"\n"),
    "CR in a header": lambda one: one.having(b"X-Extra: a\rTransfer-Encoding: chunked").refused("RFC 9112, 2.2"),
    "LF in a header": lambda one: one.having(b"X-Extra: a\nContent-Length: 9").refused(
        "RFC 9112, 2.2: LF may be taken for an end"
    ),
    "NUL in a header": lambda one: one.having(b"X-Extra: a\0b").refused("RFC 9110, 5.5"),
    "whitespace before a colon": lambda one: one.having(b"Content-Length : 3").refused("RFC 9112, 5.1: 400", content=b"abc"),
    "a tab before a colon": lambda one: one.having(b"Transfer-Encoding\t: chunked").refused("RFC 9112, 5.1: 400"),
    "a line without a colon": lambda one: one.having(b"Transfer-Encoding").refused("RFC 9112, 5"),
    "a header without a name": lambda one: one.having(b": chunked").refused("RFC 9112, 5"),
    "a name that is no token": lambda one: one.having(b"Content\x0bLength: 3").refused("RFC 9110, 5.1"),
    "a size with whitespace after it": lambda one: in_chunks(one, size=b"%x ").refused("RFC 9112, 7.1: no whitespace there"),
    "a size with a sign": lambda one: in_chunks(one, size=b"+%x").refused("RFC 9112, 7.1"),
    "a size with 0x": lambda one: in_chunks(one, size=b"0x%x").refused("RFC 9112, 7.1"),
    "a size that overflows": lambda one: in_chunks(one, size=b"10000000000000%03x").refused("RFC 9112, 7.1: overflow"),
    "LF after the size": lambda one: in_chunks(one, extension=b"\n").refused("RFC 9112, 7.1"),
    "CR in an extension": lambda one: in_chunks(one, extension=b";a\rb").refused("RFC 9112, 7.1.1"),
    "LF in an extension": lambda one: in_chunks(one, extension=b";a\nb").refused("RFC 9112, 7.1.1"),
    "NUL in an extension": lambda one: in_chunks(one, extension=b';a="\0"').refused("RFC 9112, 7.1.1"),
    "nothing after a chunk": lambda one: in_chunks(one, after=b"").refused("RFC 9112, 7.1"),
    "LF after a chunk": lambda one: in_chunks(one, after=b"\n").refused("RFC 9112, 7.1"),
    "more than a chunk's size": lambda one: in_chunks(one, after=b"x\r\n").refused("RFC 9112, 7.1"),
    "a length in the trailers": lambda one: in_chunks(one, trailers=b"Content-Length: 9\r\n").refused(
        "RFC 9110, 6.5.1: not there"
    ),
    "a coding in the trailers": lambda one: in_chunks(one, trailers=b"Transfer-Encoding: chunked\r\n").refused(
        "RFC 9110, 6.5.1: not there"
    ),
    "an unknown method": lambda one: one.refused("RFC 9110, 9.1: 501", method=b"SMUGGLE"),
    "a method in small letters": lambda one: one.refused("RFC 9110, 9.1: case-sensitive", method=b"post"),
    "a fragment": lambda one: with_length(replace(one, target=b"/faulty#a")).refused("RFC 9112, 3.2.1"),
    "a URL with a fragment": lambda one: with_length(replace(one, target=b"http://h/faulty#a")).refused("RFC 9112, 3.2.2"),
    "CONNECT": lambda one: with_length(replace(one, method=b"CONNECT", target=b"h:80")).refused("RFC 9110, 9.3.6"),
    "CONNECT with Upgrade": lambda one: (
        with_length(replace(one, method=b"CONNECT", target=b"h:80"))
        .having(b"Connection: upgrade", b"Upgrade: tls")
        .refused("RFC 9110, 9.3.6")
    ),
    "CONNECT of a path": lambda one: with_length(replace(one, method=b"CONNECT", target=b"/")).refused("RFC 9112, 3.2.3"),
    "CONNECT of a path, with Upgrade": lambda one: (
        with_length(replace(one, method=b"CONNECT", target=b"/"))
        .having(b"Connection: upgrade", b"Upgrade: tls")
        .refused("RFC 9112, 3.2.3")
    ),
    "CONNECT of *": lambda one: with_length(replace(one, method=b"CONNECT", target=b"*")).refused("RFC 9112, 3.2.3"),
    "CONNECT of a URL": lambda one: with_length(replace(one, method=b"CONNECT", target=b"http://h/")).refused(
        "RFC 9112, 3.2.3"
    ),
    "HTTP/2.0": lambda one: one.refused("RFC 9110, 15.6.6", version=b"HTTP/2.0"),
    "HTTP/1.2": lambda one: one.refused("RFC 9110, 15.6.6", version=b"HTTP/1.2"),
    "http/1.1": lambda one: one.refused("RFC 9112, 2.3: case-sensitive", version=b"http/1.1"),
    "HTTP/0.9": lambda one: one.refused("RFC 9112, 3", version=b""),
    "the preface of HTTP/2": lambda _: Message(b"PRI", b"*", b"HTTP/2.0", lines=(), content=b"SM\r\n\r\n").refused(
        "RFC 9113, 3.4"
    ),
    "* with another method": lambda one: one.refused("RFC 9112, 3.2.4", method=b"GET", target=b"*"),
    "a target that is an authority": lambda one: one.refused("RFC 9112, 3.2.3", target=b"h:80"),
    "a URL with a user": lambda one: one.refused("RFC 9110, 4.2.4", target=b"http://h@other/"),
    "whitespace in the target": lambda one: one.refused("RFC 9112, 3", target=b"/a b"),
}
"""What is refused."""

OTHER_PROTOCOLS: dict[str, Callable[[Message], Message]] = {
    "RTSP/1.1": lambda one: one.refused("RFC 9112, 2.3: the name is HTTP", version=b"RTSP/1.1"),
    "RTSP/1.0": lambda one: one.refused("RFC 9112, 2.3: the name is HTTP", version=b"RTSP/1.0"),
    "RTSP after two spaces": lambda one: one.refused("RFC 9112, 2.3: the name is HTTP", version=b" RTSP/1.1"),
    "RTSP with Upgrade": lambda one: one.having(b"Connection: upgrade", b"Upgrade: tls").refused(
        "RFC 9112, 2.3: the name is HTTP", version=b"RTSP/1.1"
    ),
    "RTSP to a URL": lambda one: one.refused("RFC 9112, 2.3: the name is HTTP", target=b"http://h/faulty", version=b"RTSP/1.1"),
    "ICE/1.1": lambda one: one.refused("RFC 9112, 2.3: the name is HTTP", method=b"SOURCE", version=b"ICE/1.1"),
}
"""What is refused where it begins a read."""

OLD = "RFC 9112, 9.3: persists if the recipient wishes"
ODDITIES: dict[str, Callable[[Message], Message]] = {
    "a URL as the target": lambda one: one.decided(
        "RFC 9112, 3.2.2", target=b"http://other.example:80/p?q", host=b"other.example:80"
    ),
    "HTTP/1.0": lambda one: one.decided(OLD, version=HTTP_1_0, is_last=True),
    "HTTP/1.0 without Host": lambda one: one.without(b"host").decided(OLD, version=HTTP_1_0, is_last=True, host=None),
    "HTTP/1.0 that would be kept alive": lambda one: one.having(b"Connection: keep-alive").decided(
        OLD, version=HTTP_1_0, is_last=True
    ),
    "HTTP/1.0 that expects": lambda one: one.having(b"Expect: 100-continue").decided(OLD, version=HTTP_1_0, is_last=True),
    "the name of another protocol in its target": lambda one: replace(one, target=b"/RTSP/1.1"),
    "the name of another protocol in a header": lambda one: one.having(b"User-Agent: ICE/1.1 RTSP/1.1"),
    "empty lines before": lambda one: one.decided("RFC 9112, 2.2: should be ignored", before=b"\r\n\r\n"),
    "the last one, as a proxy would be told": lambda one: one.having(b"Proxy-Connection: close").decided(
        "RFC 9112, 9.3: a server may say that it closes", is_last=True
    ),
    "the last one, by a trailer": lambda one: in_chunks(
        one.without(b"content-length"), trailers=b"Connection: close\r\n"
    ).decided("RFC 9112, 9.3: a server may say that it closes", is_last=True),
    "the last one": lambda one: replace(one.having(b"Connection: close"), is_last=True),
    "the last one, in a list": lambda one: replace(one.having(b"Connection: x, Close ,te"), is_last=True),
}
"""What is served in a way of its own."""

connections = st.sampled_from(
    [b"upgrade", b"Upgrade, HTTP2-Settings", b"keep-alive, Upgrade", b"UPGRADE", b"keep-alive", b"TE", b"x, upgrade,"]
)
protocol_lines = st.lists(
    st.one_of(
        connections.map(lambda options: b"Connection: " + options),
        st.sampled_from(UPGRADES).map(lambda protocol: b"Upgrade: " + protocol),
        st.sampled_from(
            [
                b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
                b"Expect: 100-continue",
                b"TE: trailers",
                b"Trailer: X-Extra",
                b"Keep-Alive: timeout=5",
                b"Proxy-Connection: upgrade",
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                b"Sec-WebSocket-Version: 13",
                PADDED,
                b"X-Other: POST /token RTSP/1.1",
                b"X-Other: GET / ICE/1.1",
            ]
        ),
    ),
    max_size=4,
).map(tuple)
bodies = st.one_of(
    st.just(ANOTHER_REQUEST),
    st.just(b"POST /token ICE/1.1"),
    st.just(b"0\r\n\r\n" + ANOTHER_REQUEST),
    st.binary(min_size=1, max_size=40),
    st.just(b"x" * 3000),
)


@st.composite
def well_formed(draw: st.DrawFn) -> Message:
    """A request that everybody understands."""
    method = draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"]))
    message = Message(method, draw(st.sampled_from([b"/", b"/a?b=c", b"/token"])), body=draw(bodies)).having(
        *draw(protocol_lines)
    )
    framing = draw(st.sampled_from(sorted(FRAMINGS))) if method in BODIED else "no body"
    return FRAMINGS[framing](message)


@st.composite
def odd(draw: st.DrawFn) -> Message:
    """One of the others that are served, with a length or without a body."""
    method = draw(st.sampled_from([b"GET", b"POST"]))
    message = Message(method, b"/odd", body=draw(bodies)).having(*draw(protocol_lines))
    return ODDITIES[draw(st.sampled_from(sorted(ODDITIES)))](with_length(message) if method in BODIED else _plain(message))


@st.composite
def faulty(draw: st.DrawFn) -> Message:
    """One that is refused."""
    message = Message(b"POST", b"/faulty", body=draw(bodies)).having(*draw(protocol_lines))
    return FAULTS[draw(st.sampled_from(sorted(FAULTS)))](message)


conversations = st.one_of(
    st.lists(well_formed(), min_size=1, max_size=4),
    st.lists(st.one_of(well_formed(), well_formed(), odd(), faulty()), min_size=1, max_size=4),
)
