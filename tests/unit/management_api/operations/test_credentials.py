"""Operations on credentials, on a model cluster whose operator publishes at once. See `scenarios/` for faults."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import bcrypt
import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import accepted_until
from agentidp.domain.resources import AgentCredential, CredentialState, NamespacedName
from agentidp.kube.kinds import CREDENTIALS, PENDING_CHANGES
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status, cached_credential
from management_api.cache.metadata import CHANGED_BY
from management_api.errors import ApiFailure, Code
from management_api.limits import DEFAULT_LIMITS
from management_api.operations.credentials import CredentialOperations, CredentialResult
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.pending_changes import PendingChanges
from management_api.operations.propagation import Publication, Replicas
from management_api.operations.secret_generator import BoundedGenerator
from tests.support.management_parts import OperatedCluster, a_cached_agent, a_context, is_disconnected, no_token
from tests.support.worlds import AGENT_ID, a_suspended_agent

AGENT = a_cached_agent()
NOBODY = "http://nobody.invalid"


class Process:
    """A process of the API on a cluster of its own."""

    def __init__(self, *replicas: str) -> None:
        self.cache = ClusterCache()
        self.cluster = OperatedCluster(self.cache)
        writer = OptimisticWriter(self.cluster, CREDENTIALS, self._cache, DEFAULT_LIMITS)  # type: ignore[arg-type]
        self.credentials = CredentialOperations(
            writer,
            PendingChanges(self.cluster, "agentidp-system"),  # type: ignore[arg-type]
            BoundedGenerator(threads=1, cost=4, max_waiting=10),
            Publication(self.cache, seconds=5.0),
            Replicas(replicas, no_token, DEFAULT_LIMITS),
            DEFAULT_LIMITS,
        )

    def _cache(self, credential: AgentCredential) -> None:
        self.cache.credentials.put(cached_credential(credential))

    def only_credential(self) -> AgentCredential:
        """The credential that there is."""
        (credential,) = self.cluster.all(CREDENTIALS)
        return credential


def accepts(credential: AgentCredential, secret: str | None) -> bool:
    """Whether the hash of the credential is that of the secret."""
    provided = credential.spec.secret_hash
    return provided is not None and bcrypt.checkpw((secret or "").encode(), provided.hash.encode())


async def test_generate_returns_a_secret_of_a_confirmed_credential() -> None:
    """The credential names its maker, and no record of the change is left."""
    process = Process()
    result = await process.credentials.generate(AGENT, None, a_context())
    stored = process.only_credential()
    assert accepts(stored, result.secret)
    assert stored.metadata.annotations[CHANGED_BY] == f"agent:{AGENT_ID}"
    assert process.cluster.all(PENDING_CHANGES) == []


async def test_result_does_not_show_its_secret() -> None:
    """A traceback would show it."""
    result = await Process().credentials.generate(AGENT, None, a_context())
    assert result.secret
    assert result.secret not in repr(result)


async def test_rotate_replaces_the_hash() -> None:
    """The old secret is not accepted any more, under the same credential id."""
    process = Process()
    first = await process.credentials.generate(AGENT, None, a_context())
    second = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    stored = process.only_credential()
    assert accepts(stored, second.secret)
    assert not accepts(stored, first.secret)
    assert second.credential.credential_id == first.credential.credential_id


def declare(process: Process, **rotation: Any) -> AgentCredential:
    """Somebody writes into `spec.rotation`, as with kubectl."""
    spec = process.only_credential().spec
    changed = replace(spec, rotation=replace(spec.rotation, **rotation))
    return process.cluster.change(CREDENTIALS, process.only_credential().key, spec=changed)


def accepted(process: Process, *results: CredentialResult) -> list[bool]:
    """For each secret, whether a hash of it that has not ended is published."""
    credential, now = process.only_credential(), datetime.now(UTC)
    ends = [(one.hash, accepted_until(one, credential.spec.rotation)) for one in credential.status.secret_hashes]
    current = [hashed.encode() for hashed, end in ends if end is None or end > now]
    return [any(bcrypt.checkpw((one.secret or "").encode(), hashed) for hashed in current) for one in results]


async def test_rotate_keeps_a_declared_overlap() -> None:
    """manage-credentials.md: without one the old secret is refused, else it works for that long."""
    process = Process()
    first = await process.credentials.generate(AGENT, None, a_context())
    second = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    assert accepted(process, first, second) == [False, True]
    declare(process, overlap="24h")
    third = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    assert accepted(process, first, second, third) == [False, True, True]


async def test_rotate_that_ends_overlaps_leaves_no_older_secret() -> None:
    """manage-credentials.md, `endOverlaps`: whoever declared the overlap; one that begins later counts again."""
    process = Process()
    first = await process.credentials.generate(AGENT, None, a_context())
    declare(process, overlap="24h")
    second = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    assert accepted(process, first, second) == [True, True]
    third = await process.credentials.rotate(AGENT, first.credential, None, a_context(), end_overlaps=True)
    assert accepted(process, first, second, third) == [False, False, True]
    fourth = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    assert accepted(process, second, third, fourth) == [False, True, True]


async def test_rotate_that_is_rolled_back_cuts_no_later_overlap_short() -> None:
    """Decision 13: nothing of the change stays, so the restored secret has its overlap in the next rotation."""
    process = Process()
    gone = dataclasses.replace(a_context(), is_disconnected=is_disconnected)
    first = await process.credentials.generate(AGENT, None, a_context())
    before = declare(process, overlap="24h")
    with pytest.raises(ApiFailure, match="Nothing was done"):
        await process.credentials.rotate(AGENT, first.credential, None, gone, end_overlaps=True)
    assert process.only_credential().spec == before.spec
    second = await process.credentials.rotate(AGENT, first.credential, None, a_context())
    assert accepted(process, first, second) == [True, True]


async def test_change_of_a_client_that_has_disconnected_is_rolled_back() -> None:
    """Decision 13: nobody has the secret. A new credential is revoked, a rotated one has its hash from before."""
    process = Process()
    gone = dataclasses.replace(a_context(), is_disconnected=is_disconnected)
    first = await process.credentials.generate(AGENT, None, a_context())
    before = process.only_credential()
    with pytest.raises(ApiFailure, match="Nothing was done"):
        await process.credentials.rotate(AGENT, first.credential, None, gone)
    assert process.only_credential().spec == before.spec
    with pytest.raises(ApiFailure, match="Nothing was done"):
        await process.credentials.generate(AGENT, None, gone)
    states = [credential.spec.state for credential in process.cluster.all(CREDENTIALS)]
    assert states == [CredentialState.ACTIVE, CredentialState.REVOKED]
    assert process.cluster.all(PENDING_CHANGES) == []


async def test_change_does_not_begin_without_the_replicas() -> None:
    """Decision 15: it could not be confirmed, and would take the old secret out of force."""
    process = Process(NOBODY)
    with pytest.raises(ApiFailure, match="Nothing was done") as raised:
        await process.credentials.generate(AGENT, None, a_context())
    assert raised.value.code is Code.UNAVAILABLE
    assert process.cluster.all(CREDENTIALS) == []


async def test_generate_for_an_agent_that_is_not_active_is_refused() -> None:
    """403 AGENT_NOT_ACTIVE."""
    suspended = replace(AGENT, spec=a_suspended_agent().spec)
    with pytest.raises(ApiFailure) as raised:
        await Process().credentials.generate(suspended, None, a_context())
    assert raised.value.code is Code.AGENT_NOT_ACTIVE


async def test_revoke_ends_the_credential_for_good() -> None:
    """204 first, 409 then."""
    process = Process()
    credential = (await process.credentials.generate(AGENT, None, a_context())).credential
    await process.credentials.revoke(credential, a_context())
    assert cached(process, credential).status is Status.REVOKED
    with pytest.raises(ApiFailure) as raised:
        await process.credentials.revoke(credential, a_context())
    assert raised.value.code is Code.CREDENTIAL_ALREADY_REVOKED


async def test_operation_on_a_credential_that_is_gone_finds_none() -> None:
    """404, also while the cache still has it."""
    process = Process()
    credential = (await process.credentials.generate(AGENT, None, a_context())).credential
    process.cluster.take_away(CREDENTIALS, NamespacedName(credential.namespace, credential.name))
    with pytest.raises(ApiFailure) as raised:
        await process.credentials.rotate(AGENT, credential, None, a_context())
    assert raised.value.code is Code.CREDENTIAL_NOT_FOUND


def cached(process: Process, credential: CachedCredential) -> CachedCredential:
    """The credential as the cache has it now."""
    found = process.cache.credentials.table.get(credential.credential_id)
    assert found
    return found
