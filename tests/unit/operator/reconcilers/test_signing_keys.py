"""The reconciler of the signing keys."""

import pytest
from msgspec.structs import replace

from agent_operator.reconcilers.signing_keys import SigningKeysReconciler, keys_in
from agentidp.domain.resources import NamespacedName
from agentidp.domain.tokens.signing_keys import SECRET_KEY, Algorithm, KeyPolicy
from agentidp.kube.errors import Invalid
from agentidp.kube.kinds import SECRETS
from tests.support.operators import Leader, a_leader

NAME = NamespacedName("agentidp", "keys")


async def reconcile(leader: Leader, algorithm: Algorithm = Algorithm.ES256) -> None:
    """Once, with this policy: a key of another algorithm is due at once."""
    await SigningKeysReconciler(leader.cluster, leader.writer, KeyPolicy(algorithm)).reconcile(NAME)


async def test_signing_keys_are_made_once() -> None:
    """While the key is not due, nothing is written."""
    leader = a_leader()
    for _ in range(2):
        await reconcile(leader)
    (secret,) = leader.cluster.all(SECRETS)
    assert [key.algorithm for key in keys_in(secret).keys] == [Algorithm.ES256]
    assert leader.cluster.version == 1


async def test_signing_keys_that_cannot_be_read_are_not_replaced() -> None:
    """A person must restore them; the message names the Secret."""
    leader = a_leader()
    await reconcile(leader)
    leader.cluster.change(SECRETS, NAME, data={SECRET_KEY: b"not what it was"})
    with pytest.raises(ValueError, match="agentidp/keys holds no readable"):
        await reconcile(leader)
    assert leader.cluster.all(SECRETS)[0].data == {SECRET_KEY: b"not what it was"}


async def test_signing_keys_in_an_immutable_secret_stay() -> None:
    """Decision 43."""
    leader = a_leader()
    await reconcile(leader)
    before = leader.cluster.change(SECRETS, NAME, immutable=True)
    with pytest.raises(Invalid, match="immutable"):
        await reconcile(leader, Algorithm.RS256)
    assert leader.cluster.all(SECRETS) == [replace(before)]
