"""Old secrets that retire when nobody uses them any more: the real operator asks the real token service."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
import jwt
import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import GRANT, Pair, is_refused, is_served

OVERLAP_SECONDS = 6
USER_AGENT = "an-old-batch-job/1.0"


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """With an operator that asks every second, because the overlaps here are short."""
    settings = {"AGENTIDP_USAGE_POLL": "1s"}
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings) as programs:
        yield programs


@pytest.mark.usefixtures("programs")
def test_an_old_secret_is_kept_as_long_as_it_is_used(tenant: Tenant, tell: Callable[[str], None]) -> None:
    """Far beyond its overlap; who uses it is named; and when they have stopped, it ends."""
    old = a_rotated_pair(tenant, maxOverlap="1h")
    refused = use_for(old, 3 * OVERLAP_SECONDS)
    tell(f"an old secret in use: {refused} refused in {3 * OVERLAP_SECONDS} s, with an overlap of {OVERLAP_SECONDS} s")
    assert refused == 0
    assert ("AgentCredential", "OldSecretInUse") in tenant.story()
    events = tenant.objects.list("Event", tenant.namespace)
    assert any(USER_AGENT in event["note"] for event in events if event["reason"] == "OldSecretInUse")
    assert tenant.get("AgentCredential")["status"]["lastUsedAt"]
    eventually("the old secret has ended", lambda: hashes(tenant), lambda found: len(found) == 1)
    assert is_refused(old)
    assert is_served(tenant.pair())


@pytest.mark.usefixtures("programs")
def test_an_old_secret_ends_at_the_bound_however_much_it_is_used(tenant: Tenant) -> None:
    """`maxOverlap` counts from when its successor was made."""
    old = a_rotated_pair(tenant, maxOverlap=f"{OVERLAP_SECONDS + 5}s")
    eventually("the old secret is refused", lambda: ask(old).status_code, lambda code: code == HTTPStatus.UNAUTHORIZED)
    assert is_served(tenant.pair())


def test_usage_is_told_to_the_operator_alone(programs: Programs, tenant: Tenant) -> None:
    """Not to strangers, not to an agent that has the scope, not to a forger."""
    url = f"{programs.token_url}/internal/usage"
    tenant.create("Agent", scopes=["usage:read"])
    token = ask(tenant.issue()).json()["access_token"]
    forged = jwt.encode({"client_id": "agentidp-operator", "scope": "usage:read"}, "x" * 32, "HS256")
    headers: tuple[dict[str, str], ...] = ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {forged}"})
    assert [httpx.get(url, headers=one).status_code for one in headers] == [HTTPStatus.UNAUTHORIZED] * len(headers)


def a_rotated_pair(tenant: Tenant, **rotation: Any) -> Pair:
    """The pair that was in use before a rotation."""
    old = tenant.issue(rotation={"overlap": f"{OVERLAP_SECONDS}s", "retire": "WhenUnused", **rotation})
    time.sleep(1.1)  # a time in a spec may be written in whole seconds, and must be later than the issue
    tenant.change("AgentCredential", rotation={"requestedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
    eventually("the old secret has an end", lambda: hashes(tenant), lambda found: len(found) > 1 and "notAfter" in found[0])
    return old


def hashes(tenant: Tenant) -> list[dict[str, Any]]:
    """What is published."""
    found: list[dict[str, Any]] = tenant.get("AgentCredential")["status"]["secretHashes"]
    return found


def use_for(pair: Pair, seconds: float) -> int:
    """Ask again and again; how often it was refused."""
    end, refused = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        refused += ask(pair).status_code != HTTPStatus.OK
        time.sleep(0.5)
    return refused


def ask(pair: Pair) -> httpx.Response:
    """A token request of a program that can be recognised."""
    headers = {"User-Agent": USER_AGENT}
    return httpx.post(pair.token_endpoint, auth=pair[:2], data=GRANT, headers=headers, timeout=30)
