"""All parts of a token service, put together: what reflectors feed, and what answers from it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agentidp.cache.freshness import Freshness
from agentidp.domain.client_assertions import Workload
from agentidp.domain.client_secrets import secret_matches
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.reflector import Reflector
from token_service.authentication.authenticator import Callers
from token_service.authentication.client_assertion import Workloads
from token_service.authentication.client_secret import Authenticator
from token_service.authentication.failure_log import RefusalLog
from token_service.authentication.internal_callers import ManagementCaller
from token_service.authentication.last_used import UsageLog
from token_service.authentication.live_recheck import SecondLook
from token_service.authentication.service_accounts import Fetch as FetchServiceAccount
from token_service.authentication.service_accounts import ServiceAccounts
from token_service.client_secrets.verifier import Bcrypt, SecretVerifier
from token_service.cluster.cache import Known
from token_service.cluster.clients import ClientIndex
from token_service.cluster.issuer_keys import ClusterKeys, Fetch
from token_service.cluster.live_reads import LookUp, ReadThrough
from token_service.cluster.propagation import AppliedHere
from token_service.endpoints.introspection import IntrospectionEndpoint
from token_service.endpoints.revocation import Record, RevocationEndpoint
from token_service.endpoints.token import TokenEndpoint
from token_service.issuance.request_cache import Recall
from token_service.metrics import Metrics
from token_service.rate_limits.client_rate import ClientLimits
from token_service.rate_limits.daily_quota import DailyLimits
from token_service.rate_limits.revocation_quota import RevocationLimits, RevocationRates
from token_service.rate_limits.tarpit import Floods
from token_service.settings import TokenServiceSettings
from token_service.tokens.validation import IssuedTokens


@dataclass(frozen=True)
class ApiServer:
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
        known: Known,
        reflectors: Iterable[Reflector[Any]],
        api_server: ApiServer,
        bcrypt: Bcrypt = secret_matches,
    ) -> None:
        self.issuer = str(settings.issuer)
        self.jwks_max_age_seconds = settings.jwks_max_age_seconds
        self.known = known
        self.reflectors = tuple(reflectors)
        self.metrics = metrics
        self.verifier = SecretVerifier(settings.hashing_threads, settings.hashing_queue, metrics.secret_checked, bcrypt)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        self.usage = UsageLog(time.time, known.clients.credentials.table.has)
        self.applied = AppliedHere(self._following(CREDENTIALS.plural), known.clients)
        read_through = ReadThrough(self._counted(api_server.look_up), known.clients)
        tokens = IssuedTokens(self.issuer, known, read_through)
        authenticator = Authenticator(known.clients, self.verifier, SecondLook(known.clients, read_through))
        self.cluster_keys = ClusterKeys(api_server.token_issuer)
        service_accounts = ServiceAccounts(api_server.service_account, settings.max_staleness_seconds)
        manager = Workload(settings.namespace, settings.management_service_account)
        self.management = ManagementCaller(self.cluster_keys, service_accounts, manager)
        workloads = Workloads(self.issuer, self.cluster_keys, service_accounts, known.clients, read_through)
        self.floods = Floods()
        limits = ClientLimits(settings.client_requests_per_second, settings.client_burst)
        callers = Callers(self.issuer, authenticator, workloads, tokens, limits, RefusalLog(metrics), self.floods)
        recall = Recall(known.clients)
        self.token = TokenEndpoint(self.issuer, callers, known.keys, self.freshness, self.usage, DailyLimits(), recall)
        self.introspection = IntrospectionEndpoint(self.issuer, callers, tokens, self.freshness)
        revocations = RevocationLimits(RevocationRates(), known.revocations.table)
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
