"""Reconcile a credential: gather, decide, execute, and again until there is nothing to do."""

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
    """The loop around `agentidp.domain.lifecycle`, which decides every step."""

    def __init__(
        self, cluster: KubeClient, cache: ClusterCache, gatherer: Gatherer, executor: Executor, writer: FencedWriter
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._gatherer = gatherer
        self._executor = executor
        self._writer = writer

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """Reconcile, and return when the credential is due again; None when something must change first."""
        credential = self._cache.credentials.get(name)
        for _ in range(MAX_STEPS):
            if credential is None:
                return None
            gathered, step = await self._decide(credential)
            self._keep_place(credential, step)
            if isinstance(step, Wait):
                return step.until
            credential = await self._advance(gathered, step)
        raise Conflict(HTTPStatus.CONFLICT, "Busy", f"it did not come to rest in {MAX_STEPS} steps: others write it as well")

    def _keep_place(self, credential: AgentCredential, step: Step) -> None:
        """Before anything else is decided: credentials of one agent may be reconciled at the same time."""
        takes_one = _has_hashes_after(step) and not credential.status.secret_hashes
        places = self._cache.places
        (places.reserve if takes_one else places.release)(credential)

    async def _decide(self, credential: AgentCredential) -> tuple[GatheredInput, Step]:
        """Decide from the cache if no Secret is to be written, else from the Secrets as the API server has them.

        A missing agent is confirmed by a live read before the status says so.
        """
        recalled = self._gatherer.gather_from_cache(credential)
        step = decide(recalled.input, now())
        if isinstance(step, WriteStatus) and recalled.input.agent is None and await self._gatherer.finds_agent(credential):
            recalled = self._gatherer.gather_from_cache(credential)
            step = decide(recalled.input, now())
        if isinstance(step, Wait | WriteStatus) and not recalled.is_partial:
            return recalled, step
        try:
            gathered = await self._gatherer.gather_live(credential)
        except Forbidden as refusal:
            await self._explain(credential, step, refusal)
            raise
        return gathered, decide(gathered.input, now())

    async def _advance(self, gathered: GatheredInput, step: Step) -> AgentCredential | None:
        """Return the credential after the step; its present version after a conflict; None where it is deleted."""
        credential = gathered.credential
        if isinstance(step, Wait):
            return credential
        try:
            return await self._executor.execute(gathered, step)
        except (Conflict, NotFound):
            return await refresh(self._cluster, CREDENTIALS, self._cache.credentials, credential)
        except (Forbidden, Invalid) as refusal:
            await self._explain(credential, step, refusal)
            raise

    async def _explain(self, credential: AgentCredential, step: Step, refusal: ApiError) -> None:
        """Record a refusal in status and events, because a person must act. The work queue tries again."""
        current = await refresh(self._cluster, CREDENTIALS, self._cache.credentials, credential)
        if current is None:
            return
        forbidden = isinstance(refusal, Forbidden) and refusal.is_about_rights
        reason = Reason.API_FORBIDDEN if forbidden else Reason.API_REFUSED
        status = with_write_refused(current, step, reason, refusal.message, now())
        self._writer.credential_event(current, reason, refusal.message, warning=True)
        if status != current.status:
            await self._writer.credential_status(current, status)


def _has_hashes_after(step: Step) -> bool:
    """Whether the step publishes a hash: of a secret that it makes, or one that the secret's owner provides."""
    return isinstance(step, IssueSecret) or (isinstance(step, WriteStatus) and bool(step.status.secret_hashes))
