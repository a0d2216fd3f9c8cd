"""A token service that follows a cluster: which kinds are watched, where, and into which table each goes."""

from functools import partial
from typing import Any

from agentidp.authentication.issuer_keys import IssuerDiscovery
from agentidp.cache.organizations import CLIENT_ORGANIZATIONS
from agentidp.cache.revocations import REVOKED_TOKENS
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import SECRETS
from agentidp.kube.pager import Source
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, Store
from token_service.cluster.cache import ClusterCache
from token_service.cluster.client_lookup import CLIENT_AGENTS, CLIENT_CREDENTIALS, ClientLookup
from token_service.cluster.service_accounts import ClusterServiceAccounts
from token_service.metrics import Metrics
from token_service.settings import TokenServiceSettings
from token_service.tokens.revocation_writer import RevocationWriter
from token_service.wiring import LiveCalls, TokenService


def following(settings: TokenServiceSettings, cluster: KubeClient) -> TokenService:
    """The service; its reflectors are not running yet."""
    metrics, known = Metrics(), ClusterCache()
    api_server = LiveCalls(
        ClientLookup(cluster),
        RevocationWriter(cluster, settings.namespace),
        IssuerDiscovery(cluster),
        ClusterServiceAccounts(cluster),
    )
    return TokenService(settings, metrics, known, _reflectors(settings, metrics, cluster, known), api_server)


def _reflectors(
    settings: TokenServiceSettings, metrics: Metrics, cluster: KubeClient, known: ClusterCache
) -> list[Reflector[Any]]:
    """A watch ends twice within the time after which the service would be stale, so that it is heard of in time."""
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)

    def reflector(source: Source[Any], view: Store[Any], namespace: str = "", name: str = "") -> Reflector[Any]:
        return Reflector(
            cluster,
            source,
            view,
            namespace=namespace,
            field_selector=f"metadata.name={name}" if name else "",
            watch_seconds=watch_seconds,
            failed=partial(metrics.watch_failed, source.plural),
        )

    return [
        reflector(CLIENT_AGENTS, known.clients.agents),
        reflector(CLIENT_CREDENTIALS, known.clients.credentials),
        reflector(CLIENT_ORGANIZATIONS, known.clients.organizations),
        reflector(REVOKED_TOKENS, known.revocations, settings.namespace),
        reflector(SECRETS, known.keys, settings.namespace, settings.signing_keys_secret),
    ]
