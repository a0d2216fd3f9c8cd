"""Fenced writer: the only way in which the operator writes.

Every write requires the leadership, names the resource version that the decision was made from, and puts the answer into the
cluster cache. So of two operators one meets a conflict. A write of a Secret names the fields that it changes (decision 43). A
status that another writer reverts is written later each time.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeVar

from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache, Store
from agent_operator.leadership.leader_election import Leadership
from agent_operator.leadership.status_backoff import StatusBackoff
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentStatus,
    CredentialStatus,
    Organization,
    OrganizationStatus,
    Secret,
    TokenRevocation,
)
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import CARRIER, carried_over
from agentidp.kube.client import STRATEGIC_MERGE_PATCH, KubeClient
from agentidp.kube.errors import Invalid, NotFound, Unreachable
from agentidp.kube.events import EventRecorder
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, SECRETS, TOKEN_REVOCATIONS, Kind

StatedT = TypeVar("StatedT", Agent, AgentCredential, Organization)


class FencedWriter:
    """Writes of statuses and Secrets, and events."""

    def __init__(
        self,
        cluster: KubeClient,
        cache: ClusterCache,
        leadership: Leadership,
        events: EventRecorder,
        backoff: StatusBackoff | None = None,
    ) -> None:
        self._backoff = backoff or StatusBackoff()
        self._cluster = cluster
        self._cache = cache
        self._leadership = leadership
        self._events = events

    async def credential_status(self, credential: AgentCredential, status: CredentialStatus) -> AgentCredential:
        """Record a credential's status. Raises Conflict, NotFound, LeftAlone."""
        return await self._status(CREDENTIALS, self._cache.credentials, credential, replace(credential, status=status))

    async def agent_status(self, agent: Agent, status: AgentStatus) -> Agent:
        """Record an agent's status. Raises Conflict, NotFound, LeftAlone."""
        return await self._status(AGENTS, self._cache.agents, agent, replace(agent, status=status))

    async def organization_status(self, organization: Organization, status: OrganizationStatus) -> Organization:
        """Record an organization's status. Raises Conflict, NotFound, LeftAlone."""
        wanted = replace(organization, status=status)
        return await self._status(ORGANIZATIONS, self._cache.organizations, organization, wanted)

    async def _status(self, kind: Kind[StatedT], store: Store[StatedT], current: StatedT, wanted: StatedT) -> StatedT:
        self._leadership.require()
        self._backoff.require(current)
        try:
            written = await self._cluster.replace_status(kind, wanted)
        except Unreachable:
            self._backoff.forget(current)
            raise
        self._backoff.written(current, written)
        store.put(written)
        return written

    async def create_secret(self, secret: Secret) -> Secret:
        """Create the Secret. Raises Conflict where one of this name exists."""
        self._leadership.require()
        written = await self._cluster.create(SECRETS, secret)
        self._cache.secrets.put(written)
        return written

    async def patch_secret(self, current: Secret, change: Mapping[str, Any]) -> Secret:
        """Merge `change` into exactly this version of the Secret. Raises Conflict, NotFound, Invalid."""
        self._leadership.require()
        version = {"resourceVersion": current.metadata.resource_version}
        bound = {**change, "metadata": {**change.get("metadata", {}), **version}}
        written = await self._cluster.patch(SECRETS, *current.key, bound, STRATEGIC_MERGE_PATCH)
        self._cache.secrets.put(written)
        return written

    async def recreate_secret(self, current: Secret, wanted: Secret) -> Secret:
        """Delete exactly this version of an immutable Secret, and create it with the wanted data and all that others have set.

        Raises Conflict, NotFound, and Invalid while the deletion waits for finalizers, which only their owners remove.
        """
        self._leadership.require()
        manifest = await self._cluster.manifest(SECRETS, *current.key)
        if not current.metadata.deletion_timestamp:
            await self._cluster.delete(SECRETS, current)
        if current.metadata.finalizers:
            raise Invalid(HTTPStatus.UNPROCESSABLE_ENTITY, "Terminating", _awaited(current))
        self._leadership.require()
        anew = carried_over(manifest, current, wanted)
        written = await self._cluster.create_manifest(SECRETS, current.metadata.namespace, anew, CARRIER)
        self._cache.secrets.put(written)
        return written

    async def delete_secret(self, secret: Secret) -> None:
        """Delete exactly this version of the Secret; the watch tells when its finalizers are gone. Raises Conflict."""
        self._leadership.require()
        with suppress(NotFound):  # it is deleted already
            await self._cluster.delete(SECRETS, secret)
        if not secret.metadata.finalizers:
            self._cache.secrets.remove(secret.metadata)

    async def delete_revocation(self, revocation: TokenRevocation) -> None:
        """Remove a TokenRevocation. Raises Conflict."""
        self._leadership.require()
        with suppress(NotFound):
            await self._cluster.delete(TOKEN_REVOCATIONS, revocation)
        self._cache.revocations.remove(revocation.metadata)

    def credential_event(
        self, about: AgentCredential, reason: Reason, note: str, *, warning: bool = False, transition: bool = False
    ) -> None:
        """Record an event about a credential."""
        self._events.record(CREDENTIALS, about, reason, note, action="Reconcile", warning=warning, transition=transition)

    def agent_event(self, about: Agent, reason: Reason, note: str, *, warning: bool = False, transition: bool = False) -> None:
        """Record an event about an agent."""
        self._events.record(AGENTS, about, reason, note, action="Register", warning=warning, transition=transition)


def _awaited(secret: Secret) -> str:
    finalizers = ", ".join(secret.metadata.finalizers)
    return (
        f"Secret {secret.metadata.name!r} is immutable, so it is deleted and created anew, and its deletion waits for"
        f" finalizers that their owners must remove: {finalizers}"
    )
