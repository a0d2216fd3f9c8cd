"""A token service that follows a cluster: which kinds are watched, where, and into which table each goes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from agentidp.index.organizations import CLIENT_ORGANIZATIONS
from agentidp.index.revocations import REVOKED_TOKENS
from agentidp.kube.cluster import Cluster
from agentidp.kube.kinds import SECRETS
from agentidp.kube.listing import Source
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, View
from token_service.cluster_issuer import ClusterIssuer
from token_service.cluster_lookup import CLIENT_AGENTS, CLIENT_CREDENTIALS, ClusterLookup
from token_service.cluster_service_accounts import ClusterServiceAccounts
from token_service.known import Known
from token_service.metrics.families import WATCH_FAILURES
from token_service.revocation_record import RevocationRecord
from token_service.service import ApiServer, TokenService
from token_service.settings import TokenServiceSettings
from token_service.shared import Shared


def following(settings: TokenServiceSettings, shared: Shared, cluster: Cluster, peers: Sequence[str] = ()) -> TokenService:
    """The service; its reflectors are not running yet."""
    known = Known()
    api_server = ApiServer(
        ClusterLookup(cluster),
        RevocationRecord(cluster, settings.namespace),
        ClusterIssuer(cluster),
        ClusterServiceAccounts(cluster),
    )
    return TokenService(settings, shared, known, _reflectors(settings, shared, cluster, known), api_server, peers)


def _reflectors(settings: TokenServiceSettings, shared: Shared, cluster: Cluster, known: Known) -> list[Reflector[Any]]:
    """A watch ends twice within the time after which the service would be stale, so that it is heard of in time."""
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)

    def reflector(source: Source[Any], view: View[Any], namespace: str = "", name: str = "") -> Reflector[Any]:
        return Reflector(
            cluster,
            source,
            view,
            namespace=namespace,
            field_selector=f"metadata.name={name}" if name else "",
            watch_seconds=watch_seconds,
            failed=partial(shared.meters.count, WATCH_FAILURES, source.plural),
        )

    return [
        reflector(CLIENT_AGENTS, known.clients.agents),
        reflector(CLIENT_CREDENTIALS, known.clients.credentials),
        reflector(CLIENT_ORGANIZATIONS, known.clients.organizations),
        reflector(REVOKED_TOKENS, known.revocations, settings.namespace),
        reflector(SECRETS, known.keys, settings.namespace, settings.signing_keys_secret),
    ]
