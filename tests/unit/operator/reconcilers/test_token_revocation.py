"""The reconciler of token revocations: each is deleted after its token has expired."""

from datetime import UTC, datetime, timedelta

from agent_operator.reconcilers.token_revocation import RevocationReconciler
from agentidp.domain.resources import NamespacedName, ObjectMeta, TokenRevocation
from agentidp.domain.resources.token_revocation import TokenRevocationSpec
from agentidp.domain.tokens.signing_keys import CLOCK_SKEW
from agentidp.kube.kinds import TOKEN_REVOCATIONS
from tests.support.fenced_writers import WriterOfAModel
from tests.support.worlds import AGENT_ID, a_uid


async def revoked(cache: WriterOfAModel, expires_at: datetime) -> TokenRevocation:
    """A revocation in the model and in the cache."""
    meta = ObjectMeta(name=a_uid(1), namespace="agentidp-system")
    value = TokenRevocation(metadata=meta, spec=TokenRevocationSpec(client_id=AGENT_ID, expires_at=expires_at))
    created = await cache.model.create(TOKEN_REVOCATIONS, value)
    cache.cache.revocations.put(created)
    return created


async def test_token_revocation_is_kept_until_no_verifier_accepts_the_token() -> None:
    """Clocks of verifiers differ by `CLOCK_SKEW` at most."""
    cache = WriterOfAModel()
    revocation = await revoked(cache, datetime.now(UTC))
    due = await RevocationReconciler(cache.cache, cache.writer).reconcile(revocation.key)
    assert due == revocation.spec.expires_at + CLOCK_SKEW
    assert cache.model.all(TOKEN_REVOCATIONS) == [revocation]


async def test_token_revocation_is_deleted_when_it_is_due() -> None:
    """A second reconciliation has nothing to do."""
    cache = WriterOfAModel()
    revocation = await revoked(cache, datetime.now(UTC) - timedelta(days=1))
    reconciler = RevocationReconciler(cache.cache, cache.writer)
    assert await reconciler.reconcile(revocation.key) is None
    assert cache.model.all(TOKEN_REVOCATIONS) == []
    assert await reconciler.reconcile(NamespacedName(*revocation.key)) is None
