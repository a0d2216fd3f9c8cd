"""The Secret with the signing keys: made at the first start, and given a new key ahead of time, for ever.

Its policy is in `agentidp.domain.tokens.signing_keys`. What is in the Secret is never thrown away because it cannot be read:
that needs a person, and tokens that were signed with it may still be in use.
"""

import asyncio
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec
import structlog

from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.resources import NamespacedName, Secret, SecretMeta
from agentidp.domain.secrets.secret_delivery import MANAGED_BY
from agentidp.domain.tokens.signing_keys import SECRET_KEY, SECRET_TYPE, KeyPolicy, KeySet, key_due, with_new_key
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, Invalid
from agentidp.kube.kinds import SECRETS

RECHECK_AFTER = timedelta(seconds=15)
"""The interval of reads: the Secret is not watched, so its loss is noticed after this time."""
IMMUTABLE = (
    "is immutable, so no signing key can be added, and its last key goes on signing. Put a copy without `immutable` in its"
    " place: kubectl get secret NAME --output=json | jq 'del(.immutable)' | kubectl replace --force --filename=-"
)

log = structlog.get_logger()


class SigningKeysReconciler:
    """Reconciles one Secret, which the settings name."""

    def __init__(self, cluster: KubeClient, writer: FencedWriter, policy: KeyPolicy) -> None:
        self._cluster = cluster
        self._writer = writer
        self._policy = policy

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """Reconcile, and return when the next key is due, or the next read."""
        secret = await self._cluster.find(SECRETS, *name)
        keys = keys_in(secret)
        due = key_due(keys, self._policy)
        if due and now() < due:
            return min(due, now() + RECHECK_AFTER)
        keys = await asyncio.to_thread(with_new_key, keys, self._policy, now())
        try:
            await self._write(keys, secret, name)
        except Conflict:
            return now()
        newest = keys.keys[-1]
        log.info("made a signing key", kid=newest.kid, algorithm=newest.algorithm.value, signs_from=str(newest.signs_from))
        return now() + RECHECK_AFTER

    async def _write(self, keys: KeySet, current: Secret | None, name: NamespacedName) -> None:
        """Create the Secret, or patch its keys. An immutable Secret is not recreated: its keys must never be missing."""
        data = {SECRET_KEY: msgspec.json.encode(keys)}
        if current is None:
            meta = SecretMeta(name=name.name, namespace=name.namespace, labels=MANAGED_BY)
            await self._writer.create_secret(Secret(metadata=meta, type=SECRET_TYPE, data=data))
        elif current.immutable:
            raise Invalid(HTTPStatus.UNPROCESSABLE_ENTITY, "Immutable", f"Secret {name} {IMMUTABLE}")
        else:
            await self._writer.patch_secret(current, {"data": data})


def keys_in(secret: Secret | None) -> KeySet:
    """Return the keys that the Secret holds, none without a Secret. Raises ValueError where they cannot be read."""
    if secret is None:
        return KeySet()
    try:
        return msgspec.json.decode(secret.data.get(SECRET_KEY, b""), type=KeySet)
    except msgspec.DecodeError as error:
        message = f"Secret {secret.key} holds no readable {SECRET_KEY}; restore it, or delete the Secret to make new keys"
        raise ValueError(message) from error
