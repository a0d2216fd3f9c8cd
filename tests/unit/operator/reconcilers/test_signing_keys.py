"""The reconciler of signing keys: the Secret is created, and gets a new key ahead of time."""

import msgspec
import pytest
from msgspec.structs import replace

from agent_operator.reconcilers.signing_keys import SigningKeysReconciler, keys_in
from agentidp.domain.resources import NamespacedName, Secret
from agentidp.domain.tokens.signing_keys import SECRET_KEY, SECRET_TYPE, KeyPolicy, KeySet
from agentidp.kube.errors import Invalid
from agentidp.kube.kinds import SECRETS
from tests.support.fenced_writers import WriterOfAModel

NAME = NamespacedName("agentidp-system", "agentidp-signing-keys")


def reconciler(cache: WriterOfAModel) -> SigningKeysReconciler:
    """The reconciler on the model."""
    return SigningKeysReconciler(cache.cluster, cache.writer, KeyPolicy())


async def created(cache: WriterOfAModel) -> Secret:
    """The Secret after the first reconciliation."""
    await reconciler(cache).reconcile(NAME)
    return await cache.model.get(SECRETS, *NAME)


async def test_signing_keys_are_created_once() -> None:
    """The Secret has its own type, which the watch of credentials' Secrets leaves out."""
    cache = WriterOfAModel()
    secret = await created(cache)
    assert secret.type == SECRET_TYPE
    assert len(keys_in(secret).keys) == 1
    assert await reconciler(cache).reconcile(NAME)
    assert await cache.model.get(SECRETS, *NAME) == secret


async def test_signing_key_is_added_before_the_last_one_has_signed_for_its_lifetime() -> None:
    """Former keys stay: tokens that they signed are still valid."""
    cache = WriterOfAModel()
    secret = await created(cache)
    (key,) = keys_in(secret).keys
    old = KeySet((replace(key, signs_from=key.signs_from - KeyPolicy().lifetime),))
    cache.model.change(SECRETS, secret.key, data={SECRET_KEY: msgspec.json.encode(old)})
    await reconciler(cache).reconcile(NAME)
    kids = [item.kid for item in keys_in(await cache.model.get(SECRETS, *NAME)).keys]
    assert kids[0] == key.kid
    assert len(kids) == 2


async def test_signing_keys_of_an_immutable_secret_are_left() -> None:
    """The error says how to replace the Secret."""
    cache = WriterOfAModel()
    secret = await created(cache)
    cache.model.change(SECRETS, secret.key, immutable=True, data={SECRET_KEY: msgspec.json.encode(KeySet())})
    with pytest.raises(Invalid, match="is immutable"):
        await reconciler(cache).reconcile(NAME)


def test_signing_keys_that_cannot_be_read_are_never_replaced() -> None:
    """Tokens that they signed may still be in use."""
    assert keys_in(None) == KeySet()
    with pytest.raises(ValueError, match="holds no readable"):
        keys_in(Secret(data={SECRET_KEY: b"{"}))
