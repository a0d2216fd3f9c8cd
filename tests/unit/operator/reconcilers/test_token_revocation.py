"""The reconciler of TokenRevocations."""

from datetime import timedelta

from agent_operator.clock import now
from agent_operator.reconcilers.token_revocation import RevocationReconciler
from agentidp.domain.resources import NamespacedName, ObjectMeta, TokenRevocation, TokenRevocationSpec
from agentidp.domain.tokens.signing_keys import CLOCK_SKEW
from agentidp.kube.kinds import TOKEN_REVOCATIONS
from tests.support.operators import a_leader


async def test_token_revocation_is_deleted_after_its_token_has_expired() -> None:
    """A verifier's clock may be late, so the skew is waited for."""
    leader = a_leader()
    reconciler = RevocationReconciler(leader.cache, leader.writer)
    for name, age in {"expired": CLOCK_SKEW, "in-its-skew": CLOCK_SKEW / 2, "valid": -timedelta(hours=1)}.items():
        meta, spec = ObjectMeta(name=name, namespace="agentidp"), TokenRevocationSpec(expires_at=now() - age)
        created = await leader.cluster.create(TOKEN_REVOCATIONS, TokenRevocation(metadata=meta, spec=spec))
        leader.cache.revocations.put(created)
        due = await reconciler.reconcile(created.key)
        assert due == (None if name == "expired" else created.spec.expires_at + CLOCK_SKEW)
    assert {left.metadata.name for left in leader.cluster.all(TOKEN_REVOCATIONS)} == {"in-its-skew", "valid"}
    assert await reconciler.reconcile(NamespacedName("agentidp", "unknown")) is None
