"""One step of a credential's life, done. Here are the write orders that make every crash harmless; policy is in the domain.

Issue and rotate: (1) the new hash is published beside the old ones; (2) the Secret gets the new value; (3) on the next pass old
hashes are dropped or given an end. After (1) alone, the Secret's value is still accepted, and the new hash is of a value that
nobody knows. After (2), both values are accepted. So there is no moment at which the Secret holds a value that is not accepted.
"""

from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.status_backoff import LeftAlone
from agent_operator.reconcilers.gatherer import GatheredInput
from agentidp.domain.lifecycle import IssueSecret, RemoveSecret, RepairSecret, WriteStatus, with_fresh_hash
from agentidp.domain.resources import AgentCredential, ConditionStatus, CredentialStatus, Secret
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import Endpoints, changes, secret_for
from agentidp.kube.errors import Conflict, Forbidden, Invalid
from agentidp.runtime.pools.secret_generator import GeneratedSecret, SecretGenerator

_STORIES = {
    Reason.ROTATION_REQUESTED: "Rotated the secret in Secret {name!r}, as requested.",
    Reason.ROTATION_SCHEDULED: "Rotated the secret in Secret {name!r}, as scheduled.",
    Reason.SECRET_MISSING: "Secret {name!r} was gone: issued a new secret under the same client id.",
    Reason.SECRET_DRIFTED: "Secret {name!r} held a value that is not accepted: issued a new secret under the same client id.",
    Reason.SECRET_METADATA_DRIFTED: "Repaired Secret {name!r}; its value is the same.",
    Reason.SECRET_REMOVED: "Removed Secret {name!r}: nothing would accept its value.",
    Reason.SECRET_NOT_WANTED: "Removed Secret {name!r}: spec.secretHash is used.",
}
_MOVED = "Removed Secret {name!r}: the pair is in Secret {current!r}."
MOST_IN_VAIN = 1_000
"""So many values are kept that the API server refused; the oldest goes first, for its credential may be gone."""
_WARNINGS = frozenset({Reason.SECRET_MISSING, Reason.SECRET_DRIFTED})


class Executor:
    """Does what was decided, and says so in events."""

    def __init__(self, writes: FencedWriter, maker: SecretGenerator, endpoints: Endpoints) -> None:
        self._writes = writes
        self._maker = maker
        self._endpoints = endpoints
        self._made_in_vain: dict[str, GeneratedSecret] = {}
        """By credential: known to nobody, because the API server refused its hash or its value."""

    async def execute(
        self, sight: GatheredInput, step: WriteStatus | IssueSecret | RepairSecret | RemoveSecret
    ) -> AgentCredential:
        """The credential as it is after the step. Raises Conflict where something changed meanwhile."""
        if not isinstance(step, IssueSecret):
            self._made_in_vain.pop(sight.credential.metadata.uid, None)
        match step:
            case WriteStatus():
                return await self._record(sight.credential, step)
            case IssueSecret():
                return await self._issue(sight, step)
            case RepairSecret():
                return await self._repair(sight, step)
            case RemoveSecret():
                return await self._remove(sight, step)

    async def _record(self, credential: AgentCredential, step: WriteStatus) -> AgentCredential:
        written = await self._writes.credential_status(credential, step.status)
        before, after = condition(credential.status.conditions, READY), condition(step.status.conditions, READY)
        if after and (before is None or (before.reason, before.message) != (after.reason, after.message)):
            warning = after.status != ConditionStatus.TRUE
            self._writes.credential_event(written, Reason(after.reason), after.message, warning=warning, transition=True)
        if step.story:
            self._writes.credential_event(written, step.story.reason, step.story.note, warning=step.story.warning)
        return written

    async def _issue(self, sight: GatheredInput, step: IssueSecret) -> AgentCredential:
        """Where a write is refused, the next try need not hash again, nor publish again: others may write all the time."""
        uid, namespace = sight.credential.metadata.uid, sight.credential.metadata.namespace
        made = self._reusable(sight) or await self._maker.make(uid, namespace)
        try:
            credential = await self._publish(sight.credential, step.status, made)
            await self._deliver(credential, sight.secret, made.value.encode())
        except (Conflict, Forbidden, Invalid, LeftAlone):
            self._made_in_vain[uid] = made
            if len(self._made_in_vain) > MOST_IN_VAIN:
                del self._made_in_vain[next(iter(self._made_in_vain))]
            raise
        self._tell(credential, step.reason, credential.secret_name)
        return credential

    def _reusable(self, sight: GatheredInput) -> GeneratedSecret | None:
        """What was made in vain; unless it was delivered after all, by a request whose repetition was refused."""
        made, held = self._made_in_vain.pop(sight.credential.metadata.uid, None), sight.seen.held
        return None if made and held and made.hashed == held.hash else made

    async def _publish(self, credential: AgentCredential, status: CredentialStatus, made: GeneratedSecret) -> AgentCredential:
        """With the hash in its status, where it may be already."""
        if all(one.hash != made.hashed for one in status.secret_hashes):
            status = with_fresh_hash(status, made.hashed, made.hint, now())
        return credential if status == credential.status else await self._writes.credential_status(credential, status)

    async def _repair(self, sight: GatheredInput, step: RepairSecret) -> AgentCredential:
        value, credential = sight.value_in(step.source), sight.credential
        if step.status != credential.status:
            credential = await self._writes.credential_status(credential, step.status)
        await self._deliver(credential, sight.secret, value)
        self._tell(credential, step.reason, credential.secret_name)
        return credential

    async def _remove(self, sight: GatheredInput, step: RemoveSecret) -> AgentCredential:
        secret = sight.named(step.name)
        if secret:
            await self._writes.no_secret(secret)
            moved = step.reason is Reason.SECRET_REMOVED and sight.seen.held
            self._tell(sight.credential, step.reason, step.name, _MOVED if moved else None)
        return sight.credential

    async def _deliver(self, credential: AgentCredential, current: Secret | None, value: bytes) -> None:
        """Write the Secret as declared, bound to the version that was seen; what others have set stays (decision 43)."""
        wanted = secret_for(credential, value, self._endpoints)
        if current is None:
            await self._writes.create_secret(wanted)
            return
        change = changes(current, wanted)
        if current.immutable and "data" in change:
            current = await self._writes.recreate_secret(current, wanted)
            change = changes(current, wanted)
        if change:
            await self._writes.patch_secret(current, change)

    def _tell(self, credential: AgentCredential, reason: Reason, name: str, story: str | None = None) -> None:
        """What the conditions do not tell; that a first secret was issued is told by Ready becoming true."""
        story = story or _STORIES.get(reason)
        if story:
            note = story.format(name=name, current=credential.secret_name)
            self._writes.credential_event(credential, reason, note, warning=reason in _WARNINGS)
