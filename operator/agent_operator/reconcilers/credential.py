"""Bring one credential to rest: observe, decide, do, and observe again until there is nothing to do."""

from datetime import datetime
from http import HTTPStatus

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.refresh import refresh
from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import GatheredInput, Gatherer
from agentidp.domain.lifecycle import IssueSecret, Step, Wait, WriteStatus, decide, with_write_refused
from agentidp.domain.resources import AgentCredential, NamespacedName
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from agentidp.kube.kinds import CREDENTIALS

MAX_STEPS = 20


class CredentialReconciler:
    """The loop; what to do is decided in `agentidp.domain.lifecycle`."""

    def __init__(
        self, cluster: KubeClient, world: ClusterCache, observer: Gatherer, executor: Executor, writes: FencedWriter
    ) -> None:
        self._cluster = cluster
        self._world = world
        self._observer = observer
        self._executor = executor
        self._writes = writes

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """When the credential must be looked at again; None when something must change first."""
        credential = self._world.credentials.get(name)
        for _ in range(MAX_STEPS):
            if credential is None:
                return None
            sight, step = await self._decide(credential)
            self._keep_place(credential, step)
            if isinstance(step, Wait):
                return step.until
            credential = await self._advance(sight, step)
        raise Conflict(HTTPStatus.CONFLICT, "Busy", f"it did not come to rest in {MAX_STEPS} steps: others write it as well")

    def _keep_place(self, credential: AgentCredential, step: Step) -> None:
        """Before anything else is decided: credentials of one agent may be reconciled at the same time."""
        makes_the_first = isinstance(step, IssueSecret) and not credential.status.secret_hashes
        places = self._world.places
        (places.reserve if makes_the_first else places.release)(credential)

    async def _decide(self, credential: AgentCredential) -> tuple[GatheredInput, Step]:
        """From memory, if that says that no Secret is to be written; else from the Secrets as they are.

        Nobody is told that an agent is missing while only memory says so.
        """
        recalled = self._observer.recall(credential)
        step = decide(recalled.seen, now())
        if isinstance(step, WriteStatus) and recalled.seen.agent is None and await self._observer.finds_agent(credential):
            recalled = self._observer.recall(credential)
            step = decide(recalled.seen, now())
        if isinstance(step, Wait | WriteStatus) and not recalled.is_partial:
            return recalled, step
        try:
            sight = await self._observer.look(credential)
        except Forbidden as refusal:
            await self._explain(credential, step, refusal)
            raise
        return sight, decide(sight.seen, now())

    async def _advance(self, sight: GatheredInput, step: Step) -> AgentCredential | None:
        """The credential after the step, or as it is where something else changed it, or None where it is gone."""
        credential = sight.credential
        if isinstance(step, Wait):
            return credential
        try:
            return await self._executor.execute(sight, step)
        except (Conflict, NotFound):
            return await refresh(self._cluster, CREDENTIALS, self._world.credentials, credential)
        except (Forbidden, Invalid) as refusal:
            await self._explain(credential, step, refusal)
            raise

    async def _explain(self, credential: AgentCredential, step: Step, refusal: ApiError) -> None:
        """It will be refused until a person does something: say so where they look. It is tried again all the same."""
        current = await refresh(self._cluster, CREDENTIALS, self._world.credentials, credential)
        if current is None:
            return
        forbidden = isinstance(refusal, Forbidden) and refusal.is_about_rights
        reason = Reason.API_FORBIDDEN if forbidden else Reason.API_REFUSED
        status = with_write_refused(current, step, reason, refusal.message, now())
        self._writes.credential_event(current, reason, refusal.message, warning=True)
        if status != current.status:
            await self._writes.credential_status(current, status)
