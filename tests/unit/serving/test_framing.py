"""Where a request ends: for what hypothesis makes, cut as it likes, the same as for h11 and hyper, or as a clause of an RFC decides."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.support.echoing import Address, all_three
from tests.support.exchanges import Exchange, exchange
from tests.support.framings import FAULTS, FRAMINGS, LAST, LAST_UNDERSTOOD, ODDITIES, UPGRADES, Message, conversations, with_length

EXAMPLES = 250


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Address]]:
    """Three, which tell what they understand."""
    with all_three() as addresses:
        yield addresses


@settings(max_examples=EXAMPLES, deadline=None)
@given(conversation=conversations, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_all_servers_see_the_same_requests(servers: dict[str, Address], conversation: list[Message], cuts: list[int]) -> None:
    """As many, with the same content, and nothing after one that is refused or the last."""
    data = b"".join(message.data for message in conversation) + LAST
    pieces = cut(data, cuts)
    seen = {name: exchange(address, pieces) for name, address in servers.items()}
    clauses = [message.clause for message in conversation if message.clause]
    event("decided by a clause" if clauses else "decided by h11 and hyper")
    if clauses:
        assert seen["ours"].understood == meant(conversation), clauses
    else:
        assert seen["by_h11"].understood == seen["by_hyper"].understood == meant(conversation), "no clause decides"
        assert seen["ours"].understood == seen["by_h11"].understood
    assert is_orderly(seen["ours"], refused=any(message.is_refused for message in served(conversation)))


@pytest.mark.parametrize("how", [pytest.param(lambda data: [data], id="whole"), pytest.param(lambda data: cut(data, range(len(data))), id="by bytes")])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_faulty_is_refused_and_nothing_after_it_is_served(fault: str, how: object, servers: dict[str, Address]) -> None:
    """By the clause that its entry names: one answer, and the connection is closed."""
    message = FAULTS[fault](Message(b"POST", b"/faulty", body=b"a body"))
    seen = exchange(servers["ours"], how(message.data + LAST))  # type: ignore[operator]
    assert seen.understood == []
    assert is_orderly(seen, refused=True)


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("oddity", [None, *ODDITIES])
def test_an_upgrade_that_is_not_taken_is_ignored(upgrade: bytes, framing: str, oddity: str | None, servers: dict[str, Address]) -> None:
    """The content stays the request's (RFC 9110, section 7.8; RFC 9112, section 6.3), where it comes with the head and where not."""
    message = FRAMINGS[framing](Message(b"POST", b"/", body=LAST).having(b"Connection: Upgrade", b"Upgrade: " + upgrade))
    if oddity:
        message = ODDITIES[oddity](message)
    if b"1.0" in message.version and message.content != message.body:
        return  # Transfer-Encoding, which HTTP/1.0 does not have
    head = len(message.data) - len(message.content)
    for pieces in ([message.data + LAST], cut(message.data + LAST, [head]), cut(message.data + LAST, [head - 3, head + 2])):
        assert exchange(servers["ours"], pieces).understood == meant([message])


def test_the_answer_to_a_faulty_request_has_its_turn(servers: dict[str, Address]) -> None:
    """After those to the requests before it (RFC 9112, section 9.3.2), also where its body is what is faulty."""
    before = with_length(Message(b"POST", b"/before", body=b"before"))
    for fault in ("no Host", "nothing after a chunk", "more than a chunk's size"):
        data = before.data * 3 + FAULTS[fault](Message(b"POST", b"/faulty", body=b"a longer body")).data + LAST
        seen = exchange(servers["ours"], [data])
        assert [answer.status for answer in seen.answers] == [200, 200, 200, 400]


def meant(conversation: Sequence[Message]) -> list[bytes]:
    """What the application is told, if all goes by the clauses."""
    reached = served(conversation)
    told = [message.understood for message in reached if not message.is_refused]
    return told if reached != list(conversation) or ends(reached[-1]) else [*told, LAST_UNDERSTOOD]


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
    return [data[begin:end] for begin, end in zip(bounds, bounds[1:], strict=False)]
