"""Several replicas of the token service: what one is told, all of them know."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import TOKEN_SERVICE, Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served, token

REPLICAS = 3


@pytest.fixture(scope="module")
def replicas(cluster: ControlPlane, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Their base URLs; all have one issuer."""
    settings = {"AGENTIDP_ISSUER": programs.token_url}
    with ExitStack() as stack:
        others = [
            stack.enter_context(
                Programs.launch(cluster.access, tmp_path_factory.mktemp("replica"), settings, chosen=[TOKEN_SERVICE])
            )
            for _ in range(REPLICAS - 1)
        ]
        yield [programs.token_url, *(other.token_url for other in others)]


@pytest.fixture
def pair(programs: Programs, objects: Objects, replicas: list[str]) -> Pair:
    """One that all replicas serve."""
    pair = Tenant.new(objects).issue()
    eventually("all serve it", lambda: all(is_served(at(one, pair)) for one in replicas))
    return pair


def at(replica: str, pair: Pair) -> Pair:
    """The pair, presented to this replica."""
    return pair._replace(token_endpoint=f"{replica}/token")


def is_active(replica: str, pair: Pair, access_token: str) -> bool:
    """What a replica says of a token."""
    answer = httpx.post(f"{replica}/token/introspect", data={"token": access_token}, auth=(pair.client_id, pair.client_secret))
    assert answer.status_code == 200, answer.text
    active: bool = answer.json()["active"]
    return active


def test_a_token_of_one_is_good_at_all(replicas: list[str], pair: Pair) -> None:
    """They have the same keys."""
    tokens = [token(at(one, pair)) for one in replicas]
    assert all(is_active(one, pair, each) for one in replicas for each in tokens)


def test_a_revocation_at_one_is_one_at_all(replicas: list[str], pair: Pair, tell: Callable[[str], None]) -> None:
    """Through a TokenRevocation that everybody watches."""
    revoked, kept = token(at(replicas[0], pair)), token(at(replicas[0], pair))
    auth = (pair.client_id, pair.client_secret)
    assert httpx.post(f"{replicas[1]}/token/revoke", data={"token": revoked}, auth=auth).status_code == 200
    began = time.monotonic()
    assert not is_active(replicas[1], pair, revoked)
    eventually("all know", lambda: not any(is_active(one, pair, revoked) for one in replicas))
    tell(f"all {REPLICAS} replicas knew of a revocation after {1000 * (time.monotonic() - began):.0f} ms")
    assert all(is_active(one, pair, kept) for one in replicas)


def test_the_kill_switch_ends_all_tokens_from_before(replicas: list[str], objects: Objects) -> None:
    """`spec.tokensValidAfter`; a token that is asked for afterwards is good."""
    tenant = Tenant.new(objects)
    pair = tenant.issue()
    reader = Tenant.new(objects).issue()
    eventually("all serve them", lambda: all(is_served(at(one, each)) for one in replicas for each in (pair, reader)))
    before = token(pair)
    tenant.change("Agent", tokensValidAfter=datetime.now(UTC).isoformat())
    eventually("all know", lambda: not any(is_active(one, reader, before) for one in replicas))
    after = [token(at(one, pair)) for one in replicas]
    assert all(is_active(one, reader, each) for one in replicas for each in after)


def test_after_a_kill_switch_by_a_clock_that_is_ahead_tokens_are_good(replicas: list[str], objects: Objects) -> None:
    """They are waited for: nobody is given one that is void, and keeps it."""
    tenant = Tenant.new(objects)
    pair, reader = tenant.issue(), Tenant.new(objects).issue()
    eventually("all serve them", lambda: all(is_served(at(one, each)) for one in replicas for each in (pair, reader)))
    before = token(pair)
    tenant.change("Agent", tokensValidAfter=(datetime.now(UTC) + timedelta(seconds=3)).isoformat())
    eventually("all know", lambda: not any(is_active(one, reader, before) for one in replicas))
    after = [token(at(one, pair)) for one in replicas]
    assert all(is_active(one, reader, each) for one in replicas for each in after)


def test_a_suspended_agents_tokens_are_not_active(replicas: list[str], objects: Objects) -> None:
    """Until it is active again."""
    tenant = Tenant.new(objects)
    pair, reader = tenant.issue(), Tenant.new(objects).issue()
    eventually("all serve them", lambda: all(is_served(at(one, each)) for one in replicas for each in (pair, reader)))
    access_token = token(pair)
    tenant.change("Agent", state="Suspended")
    eventually("all know", lambda: not any(is_active(one, reader, access_token) for one in replicas))
    tenant.change("Agent", state="Active")
    eventually("all know", lambda: all(is_active(one, reader, access_token) for one in replicas))
