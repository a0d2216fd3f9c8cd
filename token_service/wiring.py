"""Wiring: builds every part of a token service once, and gives each part what it needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from agentidp.authentication.issuer_keys import Fetch, IssuerDiscovery, IssuerKeys
from agentidp.cache.freshness import Freshness
from agentidp.cache.organizations import CLIENT_ORGANIZATIONS
from agentidp.cache.revocations import REVOKED_TOKENS
from agentidp.domain.identity.clients import ClientAgent, ClientOrganization
from agentidp.domain.resources import NamespacedName
from agentidp.domain.secrets.client_secrets import secret_matches
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from agentidp.kube.pager import Source
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, Store
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.authentication.client_assertion import ClientAssertionAuthenticator
from token_service.authentication.client_secret import ClientSecretAuthenticator
from token_service.authentication.internal_callers import InternalCallers
from token_service.authentication.last_used import LastUsedLog
from token_service.authentication.result import FailureLog
from token_service.authentication.service_accounts import Fetch as FetchServiceAccount
from token_service.authentication.service_accounts import ServiceAccounts
from token_service.client_secrets.bcrypt_pools import Bcrypt, BcryptPools
from token_service.client_secrets.verified_secrets import RejectedSecrets, VerifiedSecrets
from token_service.client_secrets.verifier import SecretVerifier
from token_service.cluster.cache import ClientIndex, ClusterCache
from token_service.cluster.live_lookups import CLIENT_AGENTS, CLIENT_CREDENTIALS, ClientLookup, ServiceAccountLookup
from token_service.cluster.live_reads import LiveReader, LiveRecheck, LookUp
from token_service.cluster.propagation import Propagation
from token_service.endpoints.introspection import IntrospectionEndpoint
from token_service.endpoints.revocation import Record, RevocationEndpoint
from token_service.endpoints.token import TokenEndpoint
from token_service.issuance.request_cache import RequestCache
from token_service.issuance.tokens_valid_after import TokensValidAfter
from token_service.issued_tokens import RevocationWriter, TokenValidator
from token_service.limits import LIMITS, Limits
from token_service.metrics import Metrics
from token_service.rate_limits import ClientRate, DailyQuota, RevocationQuota, Tarpit
from token_service.settings import TokenServiceSettings

log = structlog.get_logger()


@dataclass(frozen=True)
class Clocks:
    """The time since the epoch, a time that is never put back, and how to wait; all in seconds."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


CLOCKS = Clocks()


@dataclass(frozen=True)
class LiveCalls:
    """The requests to the API server beside lists and watches."""

    look_up: LookUp
    record: Record
    token_issuer: Fetch
    service_account: FetchServiceAccount


class TokenService:
    """The parts of a token service that the application serves from."""

    def __init__(
        self,
        settings: TokenServiceSettings,
        metrics: Metrics,
        cache: ClusterCache,
        reflectors: Iterable[Reflector[Any]],
        api_server: LiveCalls,
        bcrypt: Bcrypt = secret_matches,
        limits: Limits = LIMITS,
        clocks: Clocks = CLOCKS,
    ) -> None:
        self.issuer = str(settings.issuer)
        self.jwks_max_age_seconds = settings.jwks_max_age_seconds
        self.limits = limits
        self.cache = cache
        self.reflectors = tuple(reflectors)
        self.metrics = metrics
        self.failure_log = FailureLog(metrics.authentication_failed)
        self.tarpit = Tarpit(limits)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds, clocks.monotonic)
        self.last_used = LastUsedLog(clocks.wall, cache.clients.credentials.table.has, limits)
        self.propagation = Propagation(self._reflector_of(CREDENTIALS.plural), cache.clients)
        self.issuer_keys = IssuerKeys(api_server.token_issuer)
        service_accounts = ServiceAccounts(api_server.service_account, settings.max_staleness_seconds)
        self.management = InternalCallers(
            self.issuer_keys, service_accounts, Workload(settings.namespace, settings.management_service_account)
        )

        live_reader = LiveReader(self._counted(api_server.look_up), cache.clients, limits)
        tokens = TokenValidator(self.issuer, cache, live_reader, clocks.wall)
        verified, rejected = VerifiedSecrets(limits), RejectedSecrets(limits)
        self.bcrypt_pools = BcryptPools(
            settings.hashing_threads, settings.hashing_queue, rejected, metrics.secret_checked, bcrypt
        )
        authenticator = self.authenticator = ClientAuthenticator(
            self.issuer,
            ClientSecretAuthenticator(
                cache.clients,
                SecretVerifier(self.bcrypt_pools, rejected, limits),
                verified,
                rejected,
                LiveRecheck(cache.clients, live_reader, limits),
                clocks.wall,
            ),
            ClientAssertionAuthenticator(
                self.issuer, self.issuer_keys, service_accounts, cache.clients, live_reader, clocks.wall
            ),
            tokens,
            ClientRate(settings.client_requests_per_second, settings.client_burst, clocks.monotonic),
            self.last_used,
        )
        self.request_cache = RequestCache(cache.clients, limits, clocks.wall)
        self.token = TokenEndpoint(
            self.issuer,
            authenticator,
            cache.keys,
            self.freshness,
            DailyQuota(clocks.wall, self._over_daily_limit),
            self.request_cache,
            TokensValidAfter(clocks.wall, limits, clocks.sleep),
            limits,
            clocks.wall,
        )
        self.introspection = IntrospectionEndpoint(self.issuer, authenticator, tokens, self.freshness)
        quota = self.revocation_quota = RevocationQuota(cache.revocations.table, limits, clocks.monotonic)
        self.revocation = RevocationEndpoint(authenticator, tokens, quota, self.freshness, api_server.record, cache.clients)
        self._add_gauges()

    def missing(self) -> list[str]:
        """What this replica lacks to issue tokens, as sentences for the readiness probe."""
        return self.freshness.missing() + ([] if self.cache.keys.writer() else ["there is no signing key"])

    def _reflector_of(self, plural: str) -> Reflector[Any]:
        return next(reflector for reflector in self.reflectors if reflector.source.plural == plural)

    def _over_daily_limit(self, agent: ClientAgent, organization: ClientOrganization, first: bool) -> None:
        self.metrics.daily_limit_reached()
        if first:
            agent_name = NamespacedName(agent.namespace, agent.name)
            organization_id = organization.organization_id
            log.warning(
                "no token: the organization has had its tokens of today", agent=str(agent_name), organization=organization_id
            )
            self.last_used.over_daily_limit(agent.agent_id)

    def _counted(self, look_up: LookUp) -> LookUp:
        async def counted(client_id: str) -> ClientIndex:
            self.metrics.looked_up()
            return await look_up(client_id)

        return counted

    def _add_gauges(self) -> None:
        measure, clients, fresh = self.metrics.measure, self.cache.clients, self.freshness
        text = "Secrets that wait to be checked with bcrypt, or are being checked."
        measure("hashing_queue", text, partial(len, self.bcrypt_pools))
        measure("staleness_seconds", "Time since the last word from the API server.", fresh.staleness)
        text = "The time without word from which there are no tokens, a setting."
        measure("max_staleness_seconds", text, lambda: fresh.max_staleness)
        measure("signing_key_age_seconds", "Time since the signing key began to sign.", self.cache.keys.age)
        for kind, table in (
            ("agents", clients.agents.table),
            ("agentcredentials", clients.credentials.table),
            ("organizations", clients.organizations.table),
            ("tokenrevocations", self.cache.revocations.table),
        ):
            self.metrics.measure_index(kind, partial(len, table))


def token_service(settings: TokenServiceSettings, client: KubeClient) -> TokenService:
    """The token service of a cluster; its reflectors are not running yet."""
    metrics, cache = Metrics(), ClusterCache()
    api_server = LiveCalls(
        ClientLookup(client),
        RevocationWriter(client, settings.namespace),
        IssuerDiscovery(client),
        ServiceAccountLookup(client),
    )
    return TokenService(settings, metrics, cache, _reflectors(settings, metrics, client, cache), api_server)


def _reflectors(
    settings: TokenServiceSettings, metrics: Metrics, client: KubeClient, cache: ClusterCache
) -> list[Reflector[Any]]:
    """One reflector for each kind. A watch ends twice within `max_staleness_seconds`, so that its end is noticed in time."""
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)

    def reflector(source: Source[Any], store: Store[Any], namespace: str = "", name: str = "") -> Reflector[Any]:
        return Reflector(
            client,
            source,
            store,
            namespace=namespace,
            field_selector=f"metadata.name={name}" if name else "",
            watch_seconds=watch_seconds,
            failed=partial(metrics.watch_failed, source.plural),
        )

    return [
        reflector(CLIENT_AGENTS, cache.clients.agents),
        reflector(CLIENT_CREDENTIALS, cache.clients.credentials),
        reflector(CLIENT_ORGANIZATIONS, cache.clients.organizations),
        reflector(REVOKED_TOKENS, cache.revocations, settings.namespace),
        reflector(SECRETS, cache.keys, settings.namespace, settings.signing_keys_secret),
    ]
