"""The request cache: a granted request skips authentication while nothing that decided about it has changed."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentidp.domain.identity.clients import client_agent
from agentidp.domain.resources import (
    Agent,
    AgentState,
    CredentialState,
    ObjectMeta,
    Organization,
    OrganizationSpec,
    OrganizationStatus,
    Workload,
)
from tests.support.clocks import ManualClock
from tests.support.listings import Listed
from tests.support.token_services import (
    CLIENT,
    GRANT,
    SECRET,
    ServedAlone,
    basic,
    the_credential,
    the_hash,
    with_limits,
)
from tests.support.worlds import AGENT_ID, DAY, NAMESPACE, NOW, a_registered_agent, an_organization
from token_service.http.request import RawRequest
from token_service.issuance.request_cache import request_text

LONG_AGO = NOW - 1000 * DAY
A_TABLE = 100_000


@pytest.fixture
def clock() -> ManualClock:
    """Right when the test begins; it stands still."""
    return ManualClock(datetime.now(UTC).timestamp())


@pytest.fixture
def understood(served: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every request that had to be understood."""
    seen: list[Any] = []
    understand = served.service.authenticator.client

    async def counted(request: Any) -> Any:
        seen.append(request)
        return await understand(request)

    monkeypatch.setattr(served.service.authenticator, "client", counted)
    return seen


async def test_request_cache_skips_authentication_of_the_same_request(served: ServedAlone, understood: list[Any]) -> None:
    """And each answer has a token of its own."""
    tokens = {(await served.token()).json()["access_token"] for _ in range(5)}
    assert (len(tokens), len(understood)) == (5, 1)


async def test_request_cache_knows_no_other_request(served: ServedAlone, understood: list[Any]) -> None:
    """Whatever differs: scope, way of authentication, a header."""
    await served.token()
    assert (await served.token(CLIENT | GRANT | {"scope": "resume:read"})).json()["scope"] == "resume:read"
    assert (await served.token(GRANT, headers=basic(AGENT_ID, SECRET))).status_code == 200
    assert (await served.token(CLIENT | GRANT, headers=basic(AGENT_ID, SECRET))).status_code == 400
    assert (await served.token(CLIENT | GRANT, headers={"Content-Type": "text/plain"})).status_code == 400
    assert len(understood) == 4


FIELD_VALUES = st.binary(max_size=6).filter(lambda value: not {*b"\r\n"} & {*value})
REQUESTS = st.builds(RawRequest, st.binary(max_size=12), st.none() | FIELD_VALUES)


@given(REQUESTS, REQUESTS)
@example(RawRequest(b"body", b"header"), RawRequest(b"header\nbody"))
@example(RawRequest(b"body", b""), RawRequest(b"\nbody"))
@example(RawRequest(b"body", b""), RawRequest(b"\rbody"))
@example(RawRequest(b"body", b""), RawRequest(b"body"))
def test_request_text_tells_all_requests_apart(one: RawRequest, other: RawRequest) -> None:
    """A body may hold any bytes, and a field value neither CR nor LF (RFC 9110, section 5.5)."""
    assert (request_text(one) == request_text(other)) == (one == other)


async def test_request_cache_tells_a_body_from_a_header_and_a_body(served: ServedAlone) -> None:
    """The bytes of a granted request, its header moved into the body, are no request for a token (RFC 6749, section 4.4.2)."""
    header = basic(AGENT_ID, SECRET)
    assert (await served.token(GRANT, headers=header)).status_code == 200
    moved = RawRequest(header["Authorization"].encode() + b"\n" + httpx.Request("POST", "http://a", data=GRANT).content)
    assert served.service.request_cache.find(moved) is None


CHANGES: dict[str, tuple[Callable[[ServedAlone], object], int]] = {
    "its agent is suspended": (lambda one: one.declare(a_registered_agent(state=AgentState.SUSPENDED)), 401),
    "its agent is gone": (lambda one: one.index.agents.remove(a_registered_agent().metadata), 200),
    "its credential is revoked": (lambda one: one.declare(the_credential(state=CredentialState.REVOKED)), 401),
    "its credential has expired": (lambda one: one.declare(the_credential(expires_at=LONG_AGO)), 401),
    "its hash was replaced": (lambda one: one.declare(the_credential(the_hash(hash="$2b$10$" + "x" * 53))), 401),
    "its agent joins an organization": (
        lambda one: one.declare(a_registered_agent(organization_id="acme"), an_organization()),
        200,
    ),
}


@pytest.mark.parametrize(("change", "status"), CHANGES.values(), ids=CHANGES)
async def test_request_cache_entry_ends_when(
    served: ServedAlone, understood: list[Any], change: Callable[[ServedAlone], object], status: int
) -> None:
    """And judged by what is so now."""
    await served.token()
    change(served)
    assert (await served.token()).status_code == status
    assert len(understood) == 2


async def test_request_cache_entry_survives_an_equal_list(served: ServedAlone, understood: list[Any]) -> None:
    """The values in the index stay the same ones."""
    await served.token()
    await served.index.agents.replace(Listed(client_agent(a_registered_agent(scopes=("resume:read", "resume:write")))))
    assert (await served.token()).status_code == 200
    assert len(understood) == 1


async def test_request_cache_entry_survives_a_change_of_its_organizations_status(
    served: ServedAlone, understood: list[Any]
) -> None:
    """Its status changes with each that comes or goes, and none of the others is served more slowly for it."""
    for number in range(5):
        served.declare(*of_an_organization_of(number))
        assert (await served.token()).status_code == 200
    assert len(understood) == 1


async def test_request_cache_entry_ends_with_its_credential(served: ServedAlone, clock: ManualClock) -> None:
    """Though nothing in the index changes."""
    served.declare(the_credential(expires_at=datetime.fromtimestamp(clock.now, UTC) + timedelta(hours=1)))
    assert (await served.token()).status_code == 200
    clock.now += 3599
    assert served.service.request_cache.find(_sent()) is not None
    clock.now += 2
    assert served.service.request_cache.find(_sent()) is None


def _sent() -> RawRequest:
    """The bytes of the usual request."""
    return RawRequest(httpx.Request("POST", "http://a", data=CLIENT | GRANT).content)


async def test_request_cache_keeps_no_request_with_a_retiring_secret(served: ServedAlone, understood: list[Any]) -> None:
    """Whoever still uses it has to be noted."""
    retiring = the_hash(not_after=datetime.now(UTC) + timedelta(hours=1))
    served.declare(the_credential(retiring, the_hash(hash="$2b$10$" + "x" * 53)))
    for _ in range(3):
        assert (await served.token()).status_code == 200
    assert len(understood) == 3


async def test_request_cache_keeps_no_rejection(served: ServedAlone) -> None:
    """Only who was served is."""
    await served.token(CLIENT | GRANT | {"scope": "other"})
    await served.token(CLIENT | GRANT | {"client_secret": "wrong"})
    assert len(served.service.request_cache) == 0


@with_limits(request_cache_bytes=5_000)
async def test_request_cache_forgets_the_oldest_first(served: ServedAlone) -> None:
    """Memory is bounded, also against a client that never says the same twice."""
    for number in range(10):
        assert (await served.token(CLIENT | GRANT | {"other": str(number)})).status_code == 200
    assert 0 < len(served.service.request_cache) < 10
    assert (await served.token(CLIENT | GRANT | {"other": "9"})).status_code == 200


async def kept_after(served: ServedAlone, forms: Iterable[dict[str, Any]]) -> int:
    """Bytes that are still there when all of these were served, without the large blocks of the interpreter's own tables."""
    tracemalloc.start()
    try:
        for form in forms:
            assert (await served.token(CLIENT | GRANT | form)).status_code == 200
        gc.collect()
        return sum(one.size for one in tracemalloc.take_snapshot().traces if one.size < A_TABLE)
    finally:
        tracemalloc.stop()


async def test_request_cache_entry_does_not_grow_with_its_request(served: ServedAlone) -> None:
    """A client can name its two audiences ninety times in ever new orders."""
    one, other = audiences = "a:" + "b" * 100, "a:" + "c" * 100
    served.declare(a_registered_agent(audiences=audiences))
    orders = ([one if place == number else other for place in range(90)] for number in range(1, 41))
    kept = await kept_after(served, ({"resource": order} for order in orders))
    assert kept < 40 * 8_192


def texts(number: int, count: int, length: int) -> tuple[str, ...]:
    """So many, and others for each number; new objects each time, as what a watch tells is decoded anew."""
    return tuple(f"{number}-{place}-".ljust(length, "x") for place in range(count))


def with_scopes(number: int) -> Sequence[Agent]:
    """An agent that may have as much as may be, and something else each time."""
    return [a_registered_agent(scopes=texts(number, 64, 128), audiences=tuple(f"a:{one}" for one in texts(number, 16, 500)))]


def with_short_scopes(number: int) -> Sequence[Agent]:
    """Texts take memory beside their characters."""
    return [a_registered_agent(scopes=texts(number, 64, 1))]


def with_workloads(number: int) -> Sequence[Agent]:
    """An agent that many ServiceAccounts may be, others each time."""
    return [a_registered_agent(workloads=tuple(Workload(service_account_name=one) for one in texts(number, 16, 253)))]


def of_an_organization_of(agents: int) -> Sequence[Agent | Organization]:
    """An agent of a large organization that has so many."""
    meta = ObjectMeta(name="acme", resource_version=str(agents), annotations={"about": "x" * 10_000 + str(agents)})
    spec = OrganizationSpec(namespaces=(NAMESPACE, *texts(0, 255, 63)), allowed_scopes=texts(0, 256, 128))
    organization = Organization(metadata=meta, spec=spec, status=OrganizationStatus(agents=agents))
    return [organization, a_registered_agent(organization_id="acme")]


@pytest.mark.parametrize("declared", [with_scopes, with_short_scopes, with_workloads, of_an_organization_of])
@with_limits(request_cache_bytes=300_000)
async def test_request_cache_is_bounded_in_bytes(
    served: ServedAlone, declared: Callable[[int], Sequence[Agent | Organization]]
) -> None:
    """However much an agent may have, and however often it is changed, or its organization has another one."""

    def changed() -> Iterator[dict[str, Any]]:
        for number in range(200):
            served.declare(*declared(number))
            yield {"other": str(number)}

    assert await kept_after(served, changed()) < 1.5 * 300_000
