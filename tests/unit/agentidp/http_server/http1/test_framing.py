"""Where a request ends: as h11 and hyper see it, or as a clause decides, for generated requests in generated pieces."""

import socket
import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agentidp.http_server.http1.framing import head_error
from tests.support.echoing import Address, all_three
from tests.support.exchanges import PATIENCE_SECONDS, Exchange, exchange
from tests.support.framings import (
    FAULTS,
    FRAMINGS,
    LAST,
    LAST_UNDERSTOOD,
    ODDITIES,
    OTHER_PROTOCOLS,
    UPGRADES,
    Message,
    conversations,
    with_length,
)

EXAMPLES = 600


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Address]]:
    """Three, which tell what they understand."""
    with all_three() as addresses:
        yield addresses


@settings(max_examples=EXAMPLES, deadline=None, phases=set(Phase) - {Phase.shrink, Phase.explain})
@given(conversation=conversations, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_framing_is_seen_alike_by_all_servers(
    servers: dict[str, Address], conversation: list[Message], cuts: list[int]
) -> None:
    """As many, with the same content, and nothing after one that is refused or the last.

    The others are asked up to the first request about which a clause decides, and must agree about it.
    """
    undisputed = list(takewhile(lambda message: not message.clause, conversation))
    for name in ("by_h11", "by_hyper"):
        assert exchange(servers[name], cut(sent(undisputed), cuts)).understood == meant(undisputed), name
    seen = exchange(servers["ours"], cut(sent(conversation), cuts))
    assert seen.understood == meant(conversation), [message.clause for message in conversation]
    assert is_orderly(seen, refused=any(message.is_refused for message in served(conversation)))


@pytest.mark.parametrize("step", [1, 10_000], ids=["by bytes", "whole"])
@pytest.mark.parametrize("fault", FAULTS | OTHER_PROTOCOLS)
def test_framing_error_ends_the_connection(fault: str, step: int, servers: dict[str, Address]) -> None:
    """By the clause that its entry names: one answer, and the connection is closed."""
    message = (FAULTS | OTHER_PROTOCOLS)[fault](Message(b"POST", b"/faulty", body=b"a body"))
    data = message.data + LAST
    seen = exchange(servers["ours"], cut(data, range(0, len(data), step)))
    assert seen.understood == []
    assert is_orderly(seen, refused=True)


@pytest.mark.parametrize("name", OTHER_PROTOCOLS)
def test_another_protocol_is_refused_after_a_good_request(name: str, servers: dict[str, Address]) -> None:
    """Each request line names its own protocol (RFC 9112, section 2.3), where it begins what arrives."""
    good = with_length(Message(b"POST", b"/same", body=b"a body"))
    with socket.create_connection(servers["ours"], PATIENCE_SECONDS) as connection:
        for data, status in ((good.data, b"200"), (good.data, b"200"), (OTHER_PROTOCOLS[name](good).data, b"400")):
            connection.sendall(data)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("step", [1, 30, 10_000], ids=["by bytes", "in pieces", "whole"])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
@pytest.mark.parametrize("line", [b"POST /same RTSP/1.1", b"POST /same ICE/1", b"\r\n\r\nPOST /same ICE/1.1\r\n"])
def test_the_name_of_another_protocol_in_content_changes_nothing(
    line: bytes, framing: str, step: int, servers: dict[str, Address]
) -> None:
    """Content and headers are the request's own (RFC 9112, section 6); the line after them names HTTP."""
    first = FRAMINGS[framing](Message(b"POST", b"/same", body=line).having(b"X-Other: " + line.strip()))
    second = with_length(Message(b"POST", b"/same", body=b"a body"))
    data = sent([first, second, first, second])
    seen = exchange(servers["ours"], cut(data, range(0, len(data), step)))
    assert seen.understood == meant([first, second, first, second])


def test_hosts_take_no_memory() -> None:
    """However long and many they are: a client chooses them."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(300):
            host = b"%d." % number + b"a" * 60_000
            assert head_error("1.1", [(b"host", host)], {b"host": host}) is None
        assert tracemalloc.get_traced_memory()[0] - before < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_framing_ignores_an_upgrade(upgrade: bytes, framing: str, servers: dict[str, Address]) -> None:
    """The content stays the request's (RFC 9110, section 7.8; RFC 9112, section 6.3), however it is cut."""
    message = FRAMINGS[framing](Message(b"POST", body=LAST).having(b"Connection: Upgrade", b"Upgrade: " + upgrade))
    assert all(seen == meant([message]) for seen in understood(servers["ours"], message))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_framing_keeps_other_headers_beside_an_upgrade(oddity: str, servers: dict[str, Address]) -> None:
    """Such as that the connection ends, or whose the target is."""
    message = ODDITIES[oddity](with_length(Message(b"POST", body=LAST).having(b"Connection: Upgrade", b"Upgrade: h2c")))
    assert all(seen == meant([message]) for seen in understood(servers["ours"], message))


def test_framing_error_is_answered_after_the_requests_before(servers: dict[str, Address]) -> None:
    """After those to the requests before it (RFC 9112, section 9.3.2), also where its body is what is faulty."""
    before = with_length(Message(b"POST", b"/before", body=b"before"))
    for fault in ("no Host", "nothing after a chunk", "more than a chunk's size"):
        data = before.data * 3 + FAULTS[fault](Message(b"POST", b"/faulty", body=b"a longer body")).data + LAST
        seen = exchange(servers["ours"], [data])
        assert [answer.status for answer in seen.answers] == [200, 200, 200, 400]


def understood(address: Address, message: Message) -> Iterator[list[bytes]]:
    """With its head and content in one piece, in two, and cut within both."""
    data, head = sent([message]), len(message.data) - len(message.content)
    for places in ([], [head], [head - 3, head + 2]):
        yield exchange(address, cut(data, places)).understood


def sent(conversation: Sequence[Message]) -> bytes:
    """And a last one, after which the server closes."""
    return b"".join(message.data for message in conversation) + LAST


def meant(conversation: Sequence[Message]) -> list[bytes]:
    """What the application is told, if all goes by the clauses."""
    reached = served(conversation)
    told = [message.understood for message in reached if not message.is_refused]
    return told if reached and ends(reached[-1]) else [*told, LAST_UNDERSTOOD]


def served(conversation: Sequence[Message]) -> list[Message]:
    """Up to the one that ends the connection."""
    last = next((place for place, message in enumerate(conversation) if ends(message)), len(conversation))
    return list(conversation[: last + 1])


def ends(message: Message) -> bool:
    """Whether nothing after it is served."""
    return message.is_last or message.is_refused


def is_orderly(seen: Exchange, *, refused: bool) -> bool:
    """Closed in the end, which the last answer says and no other; it alone may be a refusal."""
    statuses = [answer.status for answer in seen.answers]
    good = statuses[:-1] if refused else statuses
    closes = [answer.closes for answer in seen.answers]
    refusal_is_there = not refused or statuses[-1] in {400, 413, 501, 505}
    return seen.closed and refusal_is_there and set(good) <= {200} and closes == [False] * (len(closes) - 1) + [True]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """At these places."""
    bounds = [0, *sorted({place for place in places if 0 < place < len(data)}), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]
