"""All parts of a token service, put together: an index and keys that reflectors feed, and what answers from them."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from agentidp.kube.cluster import Cluster
from agentidp.kube.kinds import ORGANIZATIONS, SECRETS
from agentidp.kube.reflector import WATCH_SECONDS, Reflector
from token_service.authentication import Authenticator
from token_service.callers import Callers
from token_service.cluster_lookup import CLIENT_AGENTS, CLIENT_CREDENTIALS, ClusterLookup
from token_service.endpoints.token import TokenEndpoint
from token_service.freshness import Freshness
from token_service.hashing import HashingPool
from token_service.index.clients import ClientIndex
from token_service.keys import KeyRing
from token_service.metrics import families
from token_service.metrics.meters import Exposition, Labels, Meters
from token_service.offers import Offers
from token_service.read_through import LookUp, ReadThrough
from token_service.refusal_log import RefusalLog
from token_service.second_look import SecondLook
from token_service.settings import TokenServiceSettings
from token_service.usage import UsageLog


class TokenService:
    """What the application serves from."""

    def __init__(
        self,
        settings: TokenServiceSettings,
        index: ClientIndex,
        keys: KeyRing,
        reflectors: Iterable[Reflector[Any]],
        look_up: LookUp,
    ) -> None:
        self.issuer = str(settings.issuer)
        self.index = index
        self.keys = keys
        self.reflectors = tuple(reflectors)
        self.meters = Meters()
        self.exposition = Exposition(self.meters)
        self.hashing = HashingPool(settings.hashing_threads, settings.hashing_queue, self._checked)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        second_look = SecondLook(index, ReadThrough(self._counted(look_up)))
        authenticator = Authenticator(index, self.hashing, second_look)
        callers = Callers(authenticator, RefusalLog(self.meters))
        self.usage = UsageLog(time.time)
        self.token = TokenEndpoint(callers, Offers(self.issuer), keys, self.freshness, self.usage)
        self._add_gauges()

    def missing(self) -> list[str]:
        """What it takes to issue tokens and is not there, in words."""
        return self.freshness.missing() + ([] if self.keys.writer() else ["there is no signing key"])

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
        gauge(families.KEY_AGE, lambda: [((), self.keys.age())])
        gauge(families.INDEX_OBJECTS, self._index_objects)

    def _index_objects(self) -> Iterator[tuple[Labels, float]]:
        yield ("agents",), len(self.index.agents.table)
        yield ("agentcredentials",), len(self.index.credentials.table)
        yield ("organizations",), len(self.index.organizations.table)


def connected(settings: TokenServiceSettings, cluster: Cluster) -> TokenService:
    """A token service that is fed by a cluster, once its reflectors run."""
    index, keys = ClientIndex(), KeyRing()
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)
    secret = f"metadata.name={settings.signing_keys_secret}"
    reflectors: list[Reflector[Any]] = [
        Reflector(cluster, CLIENT_AGENTS, index.agents, watch_seconds=watch_seconds),
        Reflector(cluster, CLIENT_CREDENTIALS, index.credentials, watch_seconds=watch_seconds),
        Reflector(cluster, ORGANIZATIONS, index.organizations, watch_seconds=watch_seconds),
        Reflector(cluster, SECRETS, keys, namespace=settings.namespace, field_selector=secret, watch_seconds=watch_seconds),
    ]
    return TokenService(settings, index, keys, reflectors, ClusterLookup(cluster))
