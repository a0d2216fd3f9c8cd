"""All parts of a token service, put together: what reflectors feed, and what answers from it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentidp.domain.assertions import Workload
from agentidp.index.freshness import Freshness
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.reflector import Reflector
from token_service.applied import AppliedByAll, AppliedHere
from token_service.authentication import Authenticator
from token_service.callers import Callers
from token_service.cluster_keys import ClusterKeys, Fetch
from token_service.endpoints.introspection import IntrospectionEndpoint
from token_service.endpoints.revocation import Record, RevocationEndpoint
from token_service.endpoints.token import TokenEndpoint
from token_service.floods import Floods
from token_service.hashing import HashingPool
from token_service.index.clients import ClientIndex
from token_service.issued_tokens import IssuedTokens
from token_service.known import Known
from token_service.management_caller import ManagementCaller
from token_service.metrics import families
from token_service.metrics.exposition import Exposition
from token_service.metrics.gauges import Labels
from token_service.peers import Peers
from token_service.read_through import LookUp, ReadThrough
from token_service.recall import Recall
from token_service.refusal_log import RefusalLog
from token_service.revocation_limits import RevocationLimits
from token_service.second_look import SecondLook
from token_service.settings import TokenServiceSettings
from token_service.shared import Shared
from token_service.usage import UsageLog
from token_service.usage_of_all import UsageOfAll
from token_service.workloads import Workloads


@dataclass(frozen=True)
class ApiServer:
    """What is asked of the API server beside the watches, and told to it."""

    look_up: LookUp
    record: Record
    token_issuer: Fetch


class TokenService:
    """What the application of one process serves from."""

    def __init__(
        self,
        settings: TokenServiceSettings,
        shared: Shared,
        known: Known,
        reflectors: Iterable[Reflector[Any]],
        api_server: ApiServer,
        peers: Sequence[str] = (),
    ) -> None:
        self.issuer = str(settings.issuer)
        self.jwks_max_age_seconds = settings.jwks_max_age_seconds
        self.known = known
        self.reflectors = tuple(reflectors)
        self.meters, self.gauges = shared.meters, shared.gauges
        self.exposition = Exposition(self.meters, self.gauges)
        self.hashing = HashingPool(settings.hashing_threads, settings.hashing_queue, self._checked)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        usage = UsageLog(time.time, known.clients.credentials.table.has)
        self.usage_of_all = UsageOfAll(usage, Peers(peers))
        self.applied = AppliedByAll(AppliedHere(self._following(CREDENTIALS.plural), known.clients), Peers(peers))
        read_through = ReadThrough(self._counted(api_server.look_up), known.clients)
        tokens = IssuedTokens(self.issuer, known, read_through)
        authenticator = Authenticator(known.clients, self.hashing, SecondLook(known.clients, read_through))
        self.cluster_keys = ClusterKeys(api_server.token_issuer)
        self.management = ManagementCaller(self.cluster_keys, Workload(settings.namespace, settings.management_service_account))
        workloads = Workloads(self.issuer, self.cluster_keys, known.clients, read_through)
        self.floods = Floods()
        callers = Callers(self.issuer, authenticator, workloads, tokens, shared.limits, RefusalLog(self.meters), self.floods)
        self.token = TokenEndpoint(self.issuer, callers, known.keys, self.freshness, usage, shared.days, Recall(known.clients))
        self.introspection = IntrospectionEndpoint(self.issuer, callers, tokens, self.freshness)
        limits = RevocationLimits(shared.revocations, known.revocations.table)
        self.revocation = RevocationEndpoint(callers, tokens, limits, self.freshness, api_server.record, known.clients)
        self._add_gauges()

    def missing(self) -> list[str]:
        """What it takes to issue tokens and is not there, in words; other processes are asked, too."""
        others = [f"process {number} is not ready" for number in self.gauges.unready()]
        return self.missing_here() + others

    def missing_here(self) -> list[str]:
        """The same for this process alone."""
        return self.freshness.missing() + ([] if self.known.keys.writer() else ["there is no signing key"])

    def others_ready(self) -> bool:
        """Whether some other process can issue tokens."""
        return self.gauges.ready_others()

    def tell(self) -> None:
        """A sign of life for the other processes, and this one's gauges."""
        self.gauges.write(ready=not self.missing_here())

    def metrics(self) -> bytes:
        """All that is counted and measured, in Prometheus' text format."""
        self.tell()
        return self.exposition.text()

    def _following(self, plural: str) -> Reflector[Any]:
        return next(one for one in self.reflectors if one.source.plural == plural)

    def _checked(self, matches: bool) -> None:
        self.meters.count(families.SECRET_CHECKS, "match" if matches else "mismatch")

    def _counted(self, look_up: LookUp) -> LookUp:
        async def counted(client_id: str) -> ClientIndex:
            self.meters.count(families.LOOK_UPS)
            return await look_up(client_id)

        return counted

    def _add_gauges(self) -> None:
        add = self.gauges.add
        add(families.HASHING_QUEUE, lambda: [((), len(self.hashing))])
        add(families.STALENESS, lambda: [((), self.freshness.staleness())])
        add(families.MAX_STALENESS, lambda: [((), self.freshness.max_staleness)])
        add(families.KEY_AGE, lambda: [((), self.known.keys.age())])
        add(families.INDEX_OBJECTS, self._index_objects)

    def _index_objects(self) -> Iterator[tuple[Labels, float]]:
        yield ("agents",), len(self.known.clients.agents.table)
        yield ("agentcredentials",), len(self.known.clients.credentials.table)
        yield ("organizations",), len(self.known.clients.organizations.table)
        yield ("tokenrevocations",), len(self.known.revocations.table)
