"""Executor: carries out one step, in the order of writes that makes every crash harmless. Policy is in the domain.

Issue and rotate: (1) the new hash is published beside the old ones; (2) the Secret gets the new value; (3) on the next pass old
hashes are dropped or given an end. After (1) alone, the Secret's value is still accepted, and the new hash is of a value that
nobody knows. After (2), both values are accepted. So there is no moment at which the Secret holds a value that is not accepted.
"""

from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.status_backoff import LeftAlone
from agent_operator.limits import LIMITS, Limits
from agent_operator.reconcilers.gatherer import GatheredInput
from agentidp.domain.lifecycle import IssueSecret, RemoveSecret, RepairSecret, WriteStatus, with_fresh_hash
from agentidp.domain.resources import AgentCredential, ConditionStatus, CredentialStatus, Secret
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import Endpoints, changes, secret_for
from agentidp.kube.errors import Conflict, Forbidden, Invalid
from agentidp.runtime.pools.secret_generator import GeneratedSecret, SecretGenerator

_EVENT_NOTES = {
    Reason.ROTATION_REQUESTED: "Rotated the secret in Secret {name!r}, as requested.",
    Reason.ROTATION_SCHEDULED: "Rotated the secret in Secret {name!r}, as scheduled.",
    Reason.SECRET_MISSING: "Secret {name!r} was gone: issued a new secret under the same client id.",
    Reason.SECRET_DRIFTED: "Secret {name!r} held a value that is not accepted: issued a new secret under the same client id.",
    Reason.SECRET_METADATA_DRIFTED: "Repaired Secret {name!r}; its value is the same.",
    Reason.SECRET_REMOVED: "Removed Secret {name!r}: nothing would accept its value.",
    Reason.SECRET_NOT_WANTED: "Removed Secret {name!r}: spec.secretHash is used.",
}
_MOVED = "Removed Secret {name!r}: the pair is in Secret {current!r}."
_WARNINGS = frozenset({Reason.SECRET_MISSING, Reason.SECRET_DRIFTED})


class Executor:
    """Carries out the decided step, and records events."""

    def __init__(self, writer: FencedWriter, generator: SecretGenerator, endpoints: Endpoints, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._writer = writer
        self._generator = generator
        self._endpoints = endpoints
        self._undelivered: dict[str, GeneratedSecret] = {}
        """By credential: values that nobody has, because the API server refused the hash or the value."""

    async def execute(
        self, gathered: GatheredInput, step: WriteStatus | IssueSecret | RepairSecret | RemoveSecret
    ) -> AgentCredential:
        """Return the credential after the step. Raises Conflict where something else changed it."""
        if not isinstance(step, IssueSecret):
            self._undelivered.pop(gathered.credential.metadata.uid, None)
        match step:
            case WriteStatus():
                return await self._record(gathered.credential, step)
            case IssueSecret():
                return await self._issue(gathered, step)
            case RepairSecret():
                return await self._repair(gathered, step)
            case RemoveSecret():
                return await self._remove(gathered, step)

    async def _record(self, credential: AgentCredential, step: WriteStatus) -> AgentCredential:
        written = await self._writer.credential_status(credential, step.status)
        before, after = condition(credential.status.conditions, READY), condition(step.status.conditions, READY)
        if after and (before is None or (before.reason, before.message) != (after.reason, after.message)):
            warning = after.status != ConditionStatus.TRUE
            self._writer.credential_event(written, Reason(after.reason), after.message, warning=warning, transition=True)
        if step.story:
            self._writer.credential_event(written, step.story.reason, step.story.note, warning=step.story.warning)
        return written

    async def _issue(self, gathered: GatheredInput, step: IssueSecret) -> AgentCredential:
        """Publish, then deliver. After a refusal the next try uses the same value, so it neither hashes nor publishes again."""
        uid, namespace = gathered.credential.metadata.uid, gathered.credential.metadata.namespace
        made = self._reusable(gathered) or await self._generator.make(uid, namespace)
        try:
            credential = await self._publish(gathered.credential, step.status, made)
            await self._deliver(credential, gathered.secret, made.value.encode())
        except (Conflict, Forbidden, Invalid, LeftAlone):
            self._undelivered[uid] = made
            if len(self._undelivered) > self._limits.max_undelivered:
                del self._undelivered[next(iter(self._undelivered))]
            raise
        self._record_event(credential, step.reason, credential.secret_name)
        return credential

    def _reusable(self, gathered: GatheredInput) -> GeneratedSecret | None:
        """Return the undelivered value, unless it was delivered by a request whose repetition was refused."""
        made, held = self._undelivered.pop(gathered.credential.metadata.uid, None), gathered.input.held
        return None if made and held and made.hashed == held.hash else made

    async def _publish(self, credential: AgentCredential, status: CredentialStatus, made: GeneratedSecret) -> AgentCredential:
        """Write the hash into the status, unless it is there already."""
        if all(published.hash != made.hashed for published in status.secret_hashes):
            status = with_fresh_hash(status, made.hashed, made.hint, now())
        return credential if status == credential.status else await self._writer.credential_status(credential, status)

    async def _repair(self, gathered: GatheredInput, step: RepairSecret) -> AgentCredential:
        value, credential = gathered.value_in(step.source), gathered.credential
        if step.status != credential.status:
            credential = await self._writer.credential_status(credential, step.status)
        await self._deliver(credential, gathered.secret, value)
        self._record_event(credential, step.reason, credential.secret_name)
        return credential

    async def _remove(self, gathered: GatheredInput, step: RemoveSecret) -> AgentCredential:
        secret = gathered.named(step.name)
        if secret:
            await self._writer.delete_secret(secret)
            moved = step.reason is Reason.SECRET_REMOVED and gathered.input.held
            self._record_event(gathered.credential, step.reason, step.name, _MOVED if moved else None)
        return gathered.credential

    async def _deliver(self, credential: AgentCredential, current: Secret | None, value: bytes) -> None:
        """Write the Secret as declared, bound to the version that was read; what others have set stays (decision 43)."""
        wanted = secret_for(credential, value, self._endpoints)
        if current is None:
            await self._writer.create_secret(wanted)
            return
        change = changes(current, wanted)
        if current.immutable and "data" in change:
            current = await self._writer.recreate_secret(current, wanted)
            change = changes(current, wanted)
        if change:
            await self._writer.patch_secret(current, change)

    def _record_event(self, credential: AgentCredential, reason: Reason, name: str, note: str | None = None) -> None:
        """Record what the conditions do not say. A first secret is reported by the condition Ready."""
        note = note or _EVENT_NOTES.get(reason)
        if note:
            note = note.format(name=name, current=credential.secret_name)
            self._writer.credential_event(credential, reason, note, warning=reason in _WARNINGS)
