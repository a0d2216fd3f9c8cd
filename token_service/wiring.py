"""All parts of a token service, put together: what reflectors feed, and what answers from it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agentidp.authentication.issuer_keys import Fetch, IssuerKeys
from agentidp.cache.freshness import Freshness
from agentidp.domain.secrets.client_secrets import secret_matches
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.reflector import Reflector
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.authentication.client_assertion import ClientAssertionAuthenticator
from token_service.authentication.client_secret import ClientSecretAuthenticator
from token_service.authentication.failure_log import FailureLog
from token_service.authentication.internal_callers import InternalCallers
from token_service.authentication.last_used import LastUsedLog
from token_service.authentication.live_recheck import LiveRecheck
from token_service.authentication.service_accounts import Fetch as FetchServiceAccount
from token_service.authentication.service_accounts import ServiceAccounts
from token_service.client_secrets.verifier import Bcrypt, SecretVerifier
from token_service.cluster.cache import ClusterCache
from token_service.cluster.clients import ClientIndex
from token_service.cluster.live_reads import LiveReader, LookUp
from token_service.cluster.propagation import Propagation
from token_service.endpoints.introspection import IntrospectionEndpoint
from token_service.endpoints.revocation import Record, RevocationEndpoint
from token_service.endpoints.token import TokenEndpoint
from token_service.issuance.request_cache import RequestCache
from token_service.metrics import Metrics
from token_service.rate_limits.client_rate import ClientRate
from token_service.rate_limits.daily_quota import DailyQuota
from token_service.rate_limits.revocation_quota import RevocationQuota, RevocationRates
from token_service.rate_limits.tarpit import Tarpit
from token_service.settings import TokenServiceSettings
from token_service.tokens.validation import TokenValidator


@dataclass(frozen=True)
class LiveCalls:
    """What is asked of the API server beside the watches, and told to it."""

    look_up: LookUp
    record: Record
    token_issuer: Fetch
    service_account: FetchServiceAccount


class TokenService:
    """What the application serves from."""

    def __init__(
        self,
        settings: TokenServiceSettings,
        metrics: Metrics,
        known: ClusterCache,
        reflectors: Iterable[Reflector[Any]],
        api_server: LiveCalls,
        bcrypt: Bcrypt = secret_matches,
    ) -> None:
        self.issuer = str(settings.issuer)
        self.jwks_max_age_seconds = settings.jwks_max_age_seconds
        self.known = known
        self.reflectors = tuple(reflectors)
        self.metrics = metrics
        self.verifier = SecretVerifier(settings.hashing_threads, settings.hashing_queue, metrics.secret_checked, bcrypt)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        self.usage = LastUsedLog(time.time, known.clients.credentials.table.has)
        self.applied = Propagation(self._following(CREDENTIALS.plural), known.clients)
        read_through = LiveReader(self._counted(api_server.look_up), known.clients)
        tokens = TokenValidator(self.issuer, known, read_through)
        authenticator = ClientSecretAuthenticator(known.clients, self.verifier, LiveRecheck(known.clients, read_through))
        self.cluster_keys = IssuerKeys(api_server.token_issuer)
        service_accounts = ServiceAccounts(api_server.service_account, settings.max_staleness_seconds)
        manager = Workload(settings.namespace, settings.management_service_account)
        self.management = InternalCallers(self.cluster_keys, service_accounts, manager)
        workloads = ClientAssertionAuthenticator(self.issuer, self.cluster_keys, service_accounts, known.clients, read_through)
        self.floods = Tarpit()
        limits = ClientRate(settings.client_requests_per_second, settings.client_burst)
        callers = ClientAuthenticator(self.issuer, authenticator, workloads, tokens, limits, FailureLog(metrics), self.floods)
        recall = RequestCache(known.clients)
        self.token = TokenEndpoint(self.issuer, callers, known.keys, self.freshness, self.usage, DailyQuota(), recall)
        self.introspection = IntrospectionEndpoint(self.issuer, callers, tokens, self.freshness)
        revocations = RevocationQuota(RevocationRates(), known.revocations.table)
        self.revocation = RevocationEndpoint(callers, tokens, revocations, self.freshness, api_server.record, known.clients)
        self._add_gauges()

    def missing(self) -> list[str]:
        """What it takes to issue tokens and is not there, in words."""
        return self.freshness.missing() + ([] if self.known.keys.writer() else ["there is no signing key"])

    def _following(self, plural: str) -> Reflector[Any]:
        return next(one for one in self.reflectors if one.source.plural == plural)

    def _counted(self, look_up: LookUp) -> LookUp:
        async def counted(client_id: str) -> ClientIndex:
            self.metrics.looked_up()
            return await look_up(client_id)

        return counted

    def _add_gauges(self) -> None:
        measure, clients, fresh = self.metrics.measure, self.known.clients, self.freshness
        measure(
            "hashing_queue", "Secrets that wait to be checked with bcrypt, or are being checked.", partial(len, self.verifier)
        )
        measure("staleness_seconds", "Time since the last word from the API server.", fresh.staleness)
        text = "The time without word from which there are no tokens, a setting."
        measure("max_staleness_seconds", text, lambda: fresh.max_staleness)
        measure("signing_key_age_seconds", "Time since the signing key began to sign.", self.known.keys.age)
        for kind, table in (
            ("agents", clients.agents.table),
            ("agentcredentials", clients.credentials.table),
            ("organizations", clients.organizations.table),
            ("tokenrevocations", self.known.revocations.table),
        ):
            self.metrics.measure_index(kind, partial(len, table))
