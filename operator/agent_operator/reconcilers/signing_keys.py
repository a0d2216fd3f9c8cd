"""The Secret with the signing keys: made at the first start, and given a new key ahead of time, for ever.

Its policy is in `agentidp.domain.tokens.signing_keys`. What is in the Secret is never thrown away because it cannot be read:
that needs a person, and tokens that were signed with it may still be in use.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec
import structlog
from msgspec.structs import replace

from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.resources import NamespacedName, ObjectMeta, Secret
from agentidp.domain.secrets.secret_delivery import MANAGED_BY
from agentidp.domain.tokens.signing_keys import SECRET_KEY, SECRET_TYPE, KeyPolicy, KeySet, key_due, with_new_key
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import SECRETS

LOOK_AGAIN = timedelta(seconds=15)
"""The Secret is not watched, so this is how soon its loss is noticed."""

log = structlog.get_logger()


class SigningKeysReconciler:
    """One Secret, named in the settings."""

    def __init__(self, cluster: KubeClient, writes: FencedWriter, policy: KeyPolicy) -> None:
        self._cluster = cluster
        self._writes = writes
        self._policy = policy

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """When the next key is due, or to look at the Secret again."""
        secret = await self._cluster.find(SECRETS, *name)
        keys = keys_in(secret)
        due = key_due(keys, self._policy)
        if due and now() < due:
            return min(due, now() + LOOK_AGAIN)
        keys = await asyncio.to_thread(with_new_key, keys, self._policy, now())
        try:
            await self._writes.secret(_holding(keys, secret, name))
        except Conflict:
            return now()
        newest = keys.keys[-1]
        log.info("made a signing key", kid=newest.kid, algorithm=newest.algorithm.value, signs_from=str(newest.signs_from))
        return now() + LOOK_AGAIN


def keys_in(secret: Secret | None) -> KeySet:
    """The keys that the Secret holds; none where there is no Secret. Raises ValueError where they cannot be read."""
    if secret is None:
        return KeySet()
    try:
        return msgspec.json.decode(secret.data.get(SECRET_KEY, b""), type=KeySet)
    except msgspec.DecodeError as trouble:
        message = f"Secret {secret.key} holds no readable {SECRET_KEY}; restore it, or delete the Secret to make new keys"
        raise ValueError(message) from trouble


def _holding(keys: KeySet, secret: Secret | None, name: NamespacedName) -> Secret:
    data = {SECRET_KEY: msgspec.json.encode(keys)}
    if secret:
        return replace(secret, data=secret.data | data)
    return Secret(metadata=ObjectMeta(name=name.name, namespace=name.namespace, labels=MANAGED_BY), type=SECRET_TYPE, data=data)
