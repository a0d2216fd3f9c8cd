"""The management API in front of several replicas of the token service, and what each replica says of a secret."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import httpx

from devcluster.access import Access
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.processes import Child
from devcluster.programs import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE, Programs
from tests.support.crd_schema import Manifest
from tests.support.management import Api, access_token, an_agent
from tests.support.objects import Objects
from tests.support.refusals import refused
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.wires import Wire
from tests.support.workload import Pair, is_refused, is_served

REPLICAS = 3
CONFIRM_SECONDS = 4


@dataclass(frozen=True)
class Stage:
    """An operator with the first replica, the other replicas, and the API that waits for all of them."""

    cluster: ControlPlane
    first: Programs
    others: Sequence[Programs]
    api: Programs
    wire: Wire
    """Between the last replica and the API server."""
    wire_of_api: Wire
    """Between the management API and the API server."""

    @property
    def urls(self) -> list[str]:
        """Of all replicas."""
        return [one.token_url for one in (self.first, *self.others)]

    @property
    def api_url(self) -> str:
        """Of the management API."""
        return self.api.url(MANAGEMENT_API.name)

    @property
    def operator(self) -> Child:
        """Its process."""
        return self.first.process(OPERATOR.name)

    @property
    def last_replica(self) -> Child:
        """The process of one of the replicas."""
        return self.others[-1].process(TOKEN_SERVICE.name)

    def at_each(self, pair: Pair) -> list[Pair]:
        """The pair, to be shown to each replica."""
        return [pair._replace(token_endpoint=f"{url}/token") for url in self.urls]

    def all_serve(self, pair: Pair) -> bool:
        """Whether every replica gives a token for it now."""
        return all(is_served(one) for one in self.at_each(pair))

    def all_refuse(self, pair: Pair) -> bool:
        """Whether every replica refuses it now."""
        return all(is_refused(one) for one in self.at_each(pair))


@contextmanager
def staged(cluster: ControlPlane, directory: Path) -> Iterator[Stage]:
    """Everything runs while the block does."""
    with ExitStack() as stack:

        def launch(name: str, settings: dict[str, str], *chosen: Any, access: Access = cluster.access) -> Programs:
            return stack.enter_context(Programs.launch(access, directory / name, settings, chosen))

        wire, wire_of_api = (stack.enter_context(Wire(cluster.server)) for _ in range(2))
        over_the_wire = wire.access(directory / "over-the-wire", cluster.access)
        api_over_its_wire = wire_of_api.access(directory / "api-over-its-wire", cluster.access)
        first = launch("first", {}, OPERATOR, TOKEN_SERVICE)
        settings = {"AGENTIDP_ISSUER": first.token_url}
        others = [launch(f"replica-{number}", settings, TOKEN_SERVICE) for number in range(1, REPLICAS - 1)]
        others.append(launch("last-replica", settings, TOKEN_SERVICE, access=over_the_wire))
        settings |= {
            "AGENTIDP_TOKEN_SERVICE_URL": ",".join(one.token_url for one in (first, *others)),
            "AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0",
            "AGENTIDP_NAMESPACE_WRITES_PER_SECOND": "0",
            "AGENTIDP_CONFIRM_SECONDS": str(CONFIRM_SECONDS),
        }
        api = launch("api", settings, MANAGEMENT_API, access=api_over_its_wire)
        yield Stage(cluster, first, others, api, wire, wire_of_api)


@contextmanager
def frozen(process: Child) -> Iterator[None]:
    """It does nothing, and keeps its connections: as a process on a machine that hangs."""
    process.signal(SIGSTOP)
    try:
        yield
    finally:
        process.signal(SIGCONT)


class Asked:
    """A request that was sent; its answer comes later."""

    def __init__(self, act: Callable[[], httpx.Response]) -> None:
        self._answers: list[httpx.Response] = []
        self._thread = threading.Thread(target=lambda: self._answers.append(act()))
        self._thread.start()

    def is_answered(self, within: float = 0) -> bool:
        """Now, or in so many seconds."""
        self._thread.join(within)
        return bool(self._answers)

    def answer(self) -> httpx.Response:
        """When it is there."""
        self._thread.join()
        return self._answers[0]


def assert_nothing_was_done(answer: httpx.Response) -> None:
    """As the answer says."""
    refused(answer, HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE")
    assert "Nothing was done." in answer.json()["message"]
    assert int(answer.headers["retry-after"]) > 0
    assert "clientSecret" not in answer.text


@dataclass(frozen=True)
class Client:
    """An agent whose credentials are managed over REST, by another agent of its namespace."""

    stage: Stage
    tenant: Tenant
    api: Api
    agent_id: str

    @classmethod
    def new(cls, stage: Stage, objects: Objects) -> "Client":
        """In a namespace of its own."""
        tenant = Tenant.new(objects)
        api = Api(stage.api_url, access_token(tenant))
        agent_id = an_agent(tenant)
        eventually("the API knows the agent", lambda: api.ask("GET", f"/agents/{agent_id}").is_success)
        return cls(stage, tenant, api, agent_id)

    def pair(self, answer: httpx.Response) -> Pair:
        """The pair that an answer shows."""
        assert answer.is_success, answer.text
        told = answer.json()
        return Pair(told["clientId"], told["clientSecret"], f"{self.stage.first.token_url}/token")

    def generate(self) -> tuple[str, Pair]:
        """The id of a new credential, and the pair."""
        answer = self.api.generate(self.agent_id)
        pair = self.pair(answer)
        return answer.json()["credentialId"], pair

    def rotate(self, credential_id: str) -> httpx.Response:
        """Another secret."""
        return self.api.rotate(self.agent_id, credential_id)

    def active(self) -> set[str]:
        """The ids of all credentials that are listed as active."""
        answer = self.api.credentials(self.agent_id, status="active", limit=100)
        assert answer.is_success, answer.text
        return {one["credentialId"] for one in answer.json()["data"]}

    def declared(self) -> dict[str, Manifest]:
        """The custom resources of its credentials, by their ids."""
        found = self.tenant.objects.list("AgentCredential", self.tenant.namespace)
        return {one["metadata"]["uid"]: one for one in found if one["spec"]["agentRef"]["name"] == NAME}

    def resource(self, credential_id: str) -> Manifest:
        """One of them."""
        return self.declared()[credential_id]

    def declared_hash(self, credential_id: str) -> str:
        """What its spec says."""
        told: str = self.resource(credential_id)["spec"]["secretHash"]["hash"]
        return told

    def is_at_rest(self, credential_id: str) -> bool:
        """No change is pending, and the operator has published what is declared and nothing else."""
        seen = self.resource(credential_id)
        hashes = [one["hash"] for one in seen["status"].get("secretHashes", ())]
        is_revoked = seen["spec"].get("state") == "Revoked"
        return not self.pending(seen) and hashes == ([] if is_revoked else [self.declared_hash(credential_id)])

    def pending(self, credential: Manifest) -> list[Manifest]:
        """The records of changes of a credential that are neither confirmed nor rolled back."""
        meta = credential["metadata"]
        where = {"namespace": meta["namespace"], "name": meta["name"]}
        records = self.tenant.objects.list("PendingChange", NAMESPACE)
        return [one for one in records if one["spec"]["credential"].items() >= where.items()]

    def is_as_before(self, credential_id: str, pair: Pair) -> bool:
        """Its old secret works everywhere, and no other."""
        return self.is_at_rest(credential_id) and self.stage.all_serve(pair)
