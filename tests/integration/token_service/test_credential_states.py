"""What becomes of a credential when its spec or its agent's says so: at the operator, and at the token endpoint."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from devcluster.programs import Programs
from tests.support.crd_schema import Manifest
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import GRANT, Pair, is_refused, is_served

pytestmark = pytest.mark.usefixtures("programs")


def test_a_suspended_agent_keeps_its_secret(tenant: Tenant) -> None:
    """Refused while it is suspended; resumed, the very same Secret works again."""
    pair = tenant.issue()
    version = tenant.version("Secret")
    tenant.change("Agent", state="Suspended")
    assert tenant.until("AgentCredential", "AgentSuspended")["status"]["phase"] == "Suspended"
    eventually("the secret is refused", lambda: is_refused(pair))
    tenant.change("Agent", state="Active")
    tenant.until("AgentCredential", "Issued")
    eventually("the secret is accepted", lambda: is_served(pair))
    assert tenant.version("Secret") == version


def test_nothing_is_issued_to_a_suspended_agent(tenant: Tenant) -> None:
    """A credential that is declared meanwhile waits."""
    tenant.create("Agent", state="Suspended")
    tenant.create("AgentCredential")
    credential = tenant.until("AgentCredential", "AgentSuspended")
    assert "secretHashes" not in credential["status"]
    assert tenant.find("Secret") is None
    tenant.change("Agent", state="Active")
    tenant.until("AgentCredential", "Issued")
    eventually("it is served", lambda: is_served(tenant.pair()))


def test_a_revoked_credential_has_ended(tenant: Tenant) -> None:
    """Hashes and Secret go, the record stays."""
    pair = tenant.issue()
    tenant.change("AgentCredential", state="Revoked")
    credential = tenant.until("AgentCredential", "CredentialRevoked")
    eventually("the secret is refused", lambda: is_refused(pair))
    assert_ended(tenant, credential, "Revoked")
    assert credential["status"]["revokedAt"]


def test_a_revoked_credential_is_not_rotated(tenant: Tenant) -> None:
    """And says so."""
    tenant.issue()
    tenant.change("AgentCredential", state="Revoked")
    tenant.until("AgentCredential", "CredentialRevoked")
    tenant.change("AgentCredential", rotation={"requestedAt": in_time()})
    credential = tenant.until("AgentCredential", "CredentialRevoked")
    ready = condition_of(credential)
    assert ready
    assert "not rotated" in ready["message"]
    assert_ended(tenant, credential, "Revoked")


def test_a_decommissioned_agent_ends_all_its_credentials(tenant: Tenant) -> None:
    """Each for ever, also when its own spec says Active."""
    pairs = [tenant.issue(), tenant.issue("second")]
    tenant.change("Agent", state="Decommissioned")
    for name, pair in zip((NAME, "second"), pairs, strict=True):
        assert_ended(tenant, tenant.until("AgentCredential", "AgentDecommissioned", name), "Revoked", name)
        eventually("the secret is refused", partial(is_refused, pair))
    assert tenant.until("Agent", "AgentDecommissioned")["status"]["phase"] == "Decommissioned"


def test_a_credential_ends_when_it_expires(tenant: Tenant) -> None:
    """Nobody has to do anything at that moment; a later time issues a fresh secret under the same client id."""
    pair = tenant.issue(expiresAt=in_time(seconds=3))
    credential = tenant.until("AgentCredential", "CredentialExpired")
    assert_ended(tenant, credential, "Expired")
    eventually("the secret is refused", lambda: is_refused(pair))
    tenant.change("AgentCredential", expiresAt=in_time(hours=1))
    tenant.until("AgentCredential", "Issued")
    fresh = tenant.pair()
    assert fresh.client_id == pair.client_id
    assert fresh.client_secret != pair.client_secret
    eventually("the fresh secret is accepted", lambda: is_served(fresh))
    assert is_refused(pair)


def test_a_credential_that_was_always_expired_gets_no_secret(tenant: Tenant) -> None:
    """It says why."""
    tenant.create("Agent")
    tenant.create("AgentCredential", expiresAt=in_time(hours=-1))
    assert_ended(tenant, tenant.until("AgentCredential", "CredentialExpired"), "Expired")


def test_a_requested_rotation_replaces_the_secret(tenant: Tenant) -> None:
    """Under the same client id; without an overlap the old secret stops at once."""
    before = tenant.issue()
    after = rotate(tenant)
    assert after.client_id == before.client_id
    eventually("the new secret is accepted", lambda: is_served(after))
    eventually("the old one is refused", lambda: is_refused(before))
    status = eventually("it is recorded", lambda: tenant.get("AgentCredential")["status"], lambda seen: "rotatedAt" in seen)
    assert len(status["secretHashes"]) == 1


def test_a_rotation_is_done_once(tenant: Tenant) -> None:
    """Applied again, and when something else changes, the same request does nothing."""
    tenant.issue()
    after = rotate(tenant)
    eventually("it is recorded", lambda: "rotatedAt" in tenant.get("AgentCredential")["status"])
    tenant.change("AgentCredential", rotation={"overlap": "1h"})
    tenant.until("AgentCredential", "Issued")
    assert tenant.pair() == after


def test_with_an_overlap_both_secrets_are_accepted(tenant: Tenant) -> None:
    """So that pods have time to read the new one."""
    before = tenant.issue(rotation={"overlap": "1h"})
    after = rotate(tenant)
    eventually("the new secret is accepted", lambda: is_served(after))
    assert is_served(before)


def test_after_the_overlap_the_old_secret_stops(tenant: Tenant) -> None:
    """By itself, and its hash is dropped."""
    before = tenant.issue(rotation={"overlap": "2s"})
    after = rotate(tenant)
    eventually("the old secret is refused", lambda: is_refused(before))
    eventually("its hash is dropped", lambda: len(tenant.get("AgentCredential")["status"]["secretHashes"]) == 1)
    assert is_served(after)


ENDINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "its agent is suspended": ("Agent", {"state": "Suspended"}),
    "its agent is decommissioned": ("Agent", {"state": "Decommissioned"}),
    "it is revoked": ("AgentCredential", {"state": "Revoked"}),
    "it has expired": ("AgentCredential", {"expiresAt": "2026-01-01T00:00:00Z"}),
    "its agent takes no secrets": (
        "Agent",
        {"credentialPolicy": "WorkloadOnly", "workloads": [{"serviceAccountName": "screener"}]},
    ),
}
STYLES: dict[str, Callable[[Pair], dict[str, Any]]] = {
    "HTTP Basic": lambda pair: {"auth": (pair.client_id, pair.client_secret), "data": GRANT},
    "form fields": lambda pair: {"data": GRANT | {"client_id": pair.client_id, "client_secret": pair.client_secret}},
}


@pytest.fixture(scope="module")
def refused(programs: Programs, objects: Objects) -> dict[str, Pair]:
    """Pairs that are refused, by what is wrong with them."""
    pairs = {"nothing": Tenant.new(objects).issue()}
    for what, (kind, spec) in ENDINGS.items():
        tenant = Tenant.new(objects)
        pairs[what] = tenant.issue()
        eventually("it is served", partial(is_served, pairs[what]))
        tenant.change(kind, **spec)
        eventually("it is refused", partial(is_refused, pairs[what]))
    good = pairs.pop("nothing")
    pairs["there is no such client"] = good._replace(client_id=str(uuid.uuid4()))
    pairs["its secret is wrong"] = good._replace(client_secret="sk_live_" + "0" * 32)
    pairs["what it sends is no secret"] = good._replace(client_secret="guess")
    return pairs


@pytest.mark.parametrize("style", STYLES)
def test_a_refusal_does_not_tell_what_is_wrong(style: str, refused: dict[str, Pair]) -> None:
    """Status, headers and body are the same, byte for byte but for the date: who tries secrets learns nothing by them."""
    answers = {what: answer(httpx.post(pair.token_endpoint, **STYLES[style](pair))) for what, pair in refused.items()}
    assert len(answers) == len(ENDINGS) + 3
    (status, _, body), *others = set(answers.values())
    assert others == [], answers
    assert status == 401
    assert b"invalid_client" in body


def answer(response: httpx.Response) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
    """All of it, but for the date."""
    return response.status_code, tuple(one for one in response.headers.raw if one[0].lower() != b"date"), response.content


def rotate(tenant: Tenant) -> Pair:
    """The pair after a rotation that was asked for now."""
    before = tenant.pair()
    tenant.change("AgentCredential", rotation={"requestedAt": in_time()})
    return tenant.another_pair(before)


def assert_ended(tenant: Tenant, credential: Manifest, phase: str, name: str = NAME) -> None:
    """Nothing is accepted any more, and the Secret goes."""
    assert credential["status"]["phase"] == phase
    assert "secretHashes" not in credential["status"]
    eventually("the Secret is gone", lambda: tenant.find("Secret", name) is None)


def in_time(**after: float) -> str:
    """Now, or so much later, as manifests write it."""
    return (datetime.now(UTC) + timedelta(**after)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
