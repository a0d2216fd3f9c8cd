"""All parts of a token service, put together: an index and keys that reflectors feed, and what answers from them."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from agentidp.kube.cluster import Cluster
from agentidp.kube.kinds import ORGANIZATIONS, SECRETS
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, Source, View
from token_service.authentication import Authenticator
from token_service.callers import Callers
from token_service.client_limits import ClientLimits
from token_service.cluster_lookup import CLIENT_AGENTS, CLIENT_CREDENTIALS, ClusterLookup
from token_service.endpoints.introspection import IntrospectionEndpoint
from token_service.endpoints.revocation import Record, RevocationEndpoint
from token_service.endpoints.token import TokenEndpoint
from token_service.freshness import Freshness
from token_service.hashing import HashingPool
from token_service.index.clients import ClientIndex
from token_service.index.revocations import REVOKED_TOKENS
from token_service.issued_tokens import IssuedTokens
from token_service.known import Known
from token_service.metrics import families
from token_service.metrics.meters import Exposition, Labels, Meters
from token_service.offers import Offers
from token_service.read_through import LookUp, ReadThrough
from token_service.refusal_log import RefusalLog
from token_service.revocation_record import RevocationRecord
from token_service.second_look import SecondLook
from token_service.settings import TokenServiceSettings
from token_service.usage import UsageLog


class TokenService:
    """What the application serves from."""

    def __init__(
        self,
        settings: TokenServiceSettings,
        known: Known,
        reflectors: Iterable[Reflector[Any]],
        look_up: LookUp,
        record: Record,
    ) -> None:
        self.issuer = str(settings.issuer)
        self.known = known
        self.reflectors = tuple(reflectors)
        self.meters = Meters()
        self.exposition = Exposition(self.meters)
        self.hashing = HashingPool(settings.hashing_threads, settings.hashing_queue, self._checked)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        self.usage = UsageLog(time.time)
        read_through = ReadThrough(self._counted(look_up))
        tokens = IssuedTokens(self.issuer, known, read_through)
        authenticator = Authenticator(known.clients, self.hashing, SecondLook(known.clients, read_through))
        limits = ClientLimits(settings.client_requests_per_second, settings.client_burst)
        callers = Callers(authenticator, tokens, limits, RefusalLog(self.meters))
        self.token = TokenEndpoint(callers, Offers(self.issuer), known.keys, self.freshness, self.usage)
        self.introspection = IntrospectionEndpoint(self.issuer, callers, tokens, self.freshness)
        self.revocation = RevocationEndpoint(callers, tokens, self.freshness, record)
        self._add_gauges()

    def missing(self) -> list[str]:
        """What it takes to issue tokens and is not there, in words."""
        return self.freshness.missing() + ([] if self.known.keys.writer() else ["there is no signing key"])

    def _checked(self, matches: bool) -> None:
        self.meters.count(families.SECRET_CHECKS, "match" if matches else "mismatch")

    def _counted(self, look_up: LookUp) -> LookUp:
        async def counted(client_id: str) -> ClientIndex:
            self.meters.count(families.LOOK_UPS)
            return await look_up(client_id)

        return counted

    def _add_gauges(self) -> None:
        gauge = self.exposition.gauge
        gauge(families.HASHING_QUEUE, lambda: [((), len(self.hashing))])
        gauge(families.STALENESS, lambda: [((), self.freshness.staleness())])
        gauge(families.KEY_AGE, lambda: [((), self.known.keys.age())])
        gauge(families.INDEX_OBJECTS, self._index_objects)

    def _index_objects(self) -> Iterator[tuple[Labels, float]]:
        yield ("agents",), len(self.known.clients.agents.table)
        yield ("agentcredentials",), len(self.known.clients.credentials.table)
        yield ("organizations",), len(self.known.clients.organizations.table)
        yield ("tokenrevocations",), len(self.known.revocations.table)


def connected(settings: TokenServiceSettings, cluster: Cluster) -> TokenService:
    """A token service that is fed by a cluster, once its reflectors run."""
    known = Known()
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)
    secret = f"metadata.name={settings.signing_keys_secret}"
    here = settings.namespace

    def reflector(source: Source[Any], view: View[Any], namespace: str = "", field_selector: str = "") -> Reflector[Any]:
        where = {"namespace": namespace, "field_selector": field_selector}
        return Reflector(cluster, source, view, **where, watch_seconds=watch_seconds)

    reflectors = [
        reflector(CLIENT_AGENTS, known.clients.agents),
        reflector(CLIENT_CREDENTIALS, known.clients.credentials),
        reflector(ORGANIZATIONS, known.clients.organizations),
        reflector(REVOKED_TOKENS, known.revocations, here),
        reflector(SECRETS, known.keys, here, secret),
    ]
    return TokenService(settings, known, reflectors, ClusterLookup(cluster), RevocationRecord(cluster, here))
