"""What was given to an object is worth nothing to another one that has taken its name.

Each row has somebody who was let in by what they got from an object; then the object is deleted and made anew under the same
name. Where the new one is another identity, they are refused. Nothing but that has changed: the new owner is let in, and the
same without deleting anything is let in, too. What tokens of ServiceAccounts are worth, TokenReview says.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import pytest

from agentidp.domain.identity.propagation import APPLIED_PATH, AUDIENCE
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import Programs
from tests.support.management import SCOPES, as_agent
from tests.support.manifests import a_resource
from tests.support.metrics import metric
from tests.support.objects import Objects
from tests.support.service_accounts import ask_by_assertion, make_service_account, token_of
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_served, token

WORKLOADS = [{"serviceAccountName": NAME}]
DAY = 86_400
MANAGER = "manager-of-this-test"

Holds = Callable[[], bool]
"""Whether what somebody got before lets them in now."""


@pytest.fixture(scope="module")
def all_programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """With another ServiceAccount in the management API's place, so that it can be deleted."""
    settings = {"AGENTIDP_MANAGEMENT_SERVICE_ACCOUNT": MANAGER, "AGENTIDP_CALLER_REQUESTS_PER_SECOND": "0"}
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings) as programs:
        yield programs


@dataclass(frozen=True)
class Stage:
    """A tenant, and the programs that it is a tenant of."""

    tenant: Tenant
    programs: Programs

    @property
    def issuer(self) -> str:
        """The audience of what workloads show."""
        return self.programs.token_url

    def make_workload(self) -> None:
        """A ServiceAccount, and an Agent that names it."""
        make_service_account(self.tenant)
        self.make_agent(workloads=WORKLOADS)

    def make_agent(self, **spec: object) -> None:
        """An Agent that is registered."""
        self.tenant.create("Agent", **{"scopes": SCOPES, "audiences": [self.issuer]} | spec)
        self.tenant.until("Agent", "Registered")

    def remove(self, kind: str, name: str = NAME, namespace: str | None = None) -> None:
        """Delete it, and wait until the name is free."""
        where = self.tenant.namespace if namespace is None else namespace
        self.tenant.objects.remove(kind, name, where)
        eventually("it is gone", lambda: self.tenant.objects.find(kind, name, where) is None)

    def renew_namespace(self) -> None:
        """Somebody else gets the name."""
        self.remove("Namespace", self.tenant.namespace, "")
        self.tenant.objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.tenant.namespace}})

    def assertion(self) -> str:
        """A token of the ServiceAccount for us, as long as one may live."""
        return token_of(self.tenant, self.issuer, seconds=DAY)

    def serves(self, assertion: str, **form: str) -> bool:
        """Whether an access token is given for it."""
        answer = ask_by_assertion(self.issuer, assertion, **form)
        assert answer.status_code in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}, answer.text
        return answer.status_code == HTTPStatus.OK

    def is_active(self, access_token: str) -> bool:
        """Whether introspection says so, to somebody else."""
        asker = Tenant.new(self.tenant.objects).issue()
        answer = httpx.post(
            f"{self.issuer}/api/v1/token/introspect",
            data={"token": access_token},
            auth=(asker.client_id, asker.client_secret),
            timeout=30,
        )
        return bool(answer.raise_for_status().json()["active"])

    def is_let_in(self, bearer: str) -> bool:
        """Whether the management API takes it."""
        with as_agent(self.programs, bearer) as api:
            return api.ask("GET", f"/agents?namespace={self.tenant.namespace}").status_code != HTTPStatus.UNAUTHORIZED


@pytest.fixture
def stage(tenant: Tenant, all_programs: Programs) -> Stage:
    """With a new tenant."""
    return Stage(tenant, all_programs)


def review(objects: Objects, bearer: str, audience: str) -> bool:
    """What the API server itself says of a token (TokenReview)."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": bearer, "audiences": [audience]},
    }
    answer = objects.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", json=body).raise_for_status()
    return bool(answer.json()["status"].get("authenticated"))


def workload(stage: Stage) -> Holds:
    """A token of a ServiceAccount."""
    stage.make_workload()
    shown = stage.assertion()
    return lambda: stage.serves(shown)


def workload_in_new_words(stage: Stage) -> Holds:
    """The same, in another request each time: the very same one is remembered for up to a minute (decision 16)."""
    stage.make_workload()
    shown = stage.assertion()
    return lambda: stage.serves(shown, unrecognized=uuid.uuid4().hex)


def secret(stage: Stage) -> Holds:
    """A client secret."""
    stage.make_agent()
    pair = stage.tenant.issue()
    return lambda: is_served(pair)


def issued_token(stage: Stage) -> Holds:
    """An access token, which somebody introspects."""
    stage.make_agent()
    shown = token(stage.tenant.issue())
    return lambda: stage.is_active(shown)


def bearer(stage: Stage) -> Holds:
    """The same at the management API."""
    stage.make_agent()
    shown = token(stage.tenant.issue())
    return lambda: stage.is_let_in(shown)


def user(stage: Stage) -> Holds:
    """A token of a ServiceAccount for the API server, which the management API takes as well."""
    make_service_account(stage.tenant)
    shown = token_of(stage.tenant)
    return lambda: stage.is_let_in(shown)


def namespace_with_agent(stage: Stage) -> None:
    """The namespace, and all that was in it."""
    stage.renew_namespace()
    stage.make_workload()
    stage.tenant.issue()


def service_account(stage: Stage) -> None:
    """The ServiceAccount alone; its agent stays, and serves the new one."""
    stage.remove("ServiceAccount")
    make_service_account(stage.tenant)
    if stage.tenant.find("Agent"):
        assert stage.serves(stage.assertion())


def agent(stage: Stage) -> None:
    """The agent, with a fresh id."""
    stage.remove("Agent")
    stage.make_agent(workloads=WORKLOADS)


def agent_with_its_id(stage: Stage) -> None:
    """The agent, under the id that it had, by somebody who may claim ids: a restored backup."""
    agent_id = stage.tenant.get("Agent")["status"]["agentId"]
    stage.remove("Agent")
    stage.make_agent(workloads=WORKLOADS, agentId=agent_id)


def credential(stage: Stage) -> None:
    """The credential."""
    stage.remove("AgentCredential")
    eventually("its Secret is gone", lambda: stage.tenant.find("Secret") is None)
    assert is_served(stage.tenant.issue())


def nothing(_: Stage) -> None:
    """For comparison."""


Row = tuple[Callable[[Stage], Holds], Callable[[Stage], None]]
REFUSED: list[Row] = [
    (workload, namespace_with_agent),
    (workload_in_new_words, namespace_with_agent),
    (workload_in_new_words, service_account),
    (user, service_account),
    (user, namespace_with_agent),
    (secret, namespace_with_agent),
    (secret, agent),
    (secret, credential),
    (issued_token, namespace_with_agent),
    (issued_token, agent),
    (bearer, namespace_with_agent),
    (bearer, agent),
]
ACCEPTED: list[Row] = [
    *((shown, nothing) for shown in (workload, workload_in_new_words, user, secret, issued_token, bearer)),
    (workload, agent),
    (workload, agent_with_its_id),
    (secret, agent_with_its_id),
    (issued_token, agent_with_its_id),
    (issued_token, credential),
]
"""A ServiceAccount that is not made anew is what a new agent names. Who declares an id again is that agent (decision 4)."""


def told(row: Row) -> str:
    """Its id."""
    shown, renewed = row
    return f"{shown.__name__} and {renewed.__name__}"


@pytest.mark.parametrize("row", REFUSED, ids=told)
def test_what_was_given_before_the_object_is_refused(row: Row, stage: Stage) -> None:
    """At once, but for users of the cluster: the API server and the management API remember those for ten seconds each."""
    prepare, renew = row
    holds = prepare(stage)
    eventually("it is accepted", holds)
    renew(stage)
    if prepare is user:
        eventually("it is refused", lambda: not holds())
    assert not holds()


@pytest.mark.parametrize("row", ACCEPTED, ids=told)
def test_what_was_given_by_the_same_identity_is_accepted(row: Row, stage: Stage) -> None:
    """So that the other rows say something; and nobody is cut off for what others deleted."""
    prepare, renew = row
    holds = prepare(stage)
    eventually("it is accepted", holds)
    renew(stage)
    eventually("it is accepted again", holds)


def test_a_token_of_a_service_account_is_what_token_review_says(stage: Stage) -> None:
    """Before and after its namespace was somebody else's; and the metrics tell why it is refused."""
    stage.make_workload()
    old, objects = stage.assertion(), stage.tenant.objects
    eventually("it is served", lambda: stage.serves(old))
    assert review(objects, old, stage.issuer)

    stage.renew_namespace()
    stage.make_workload()
    new = stage.assertion()
    eventually("the API server has forgotten the old token", lambda: not review(objects, old, stage.issuer))
    name = 'agentidp_refusals_total{reason="WorkloadReplaced"}'
    before = metric(stage.issuer, name) or 0
    assert (stage.serves(old), stage.serves(new)) == (False, True) == (False, review(objects, new, stage.issuer))
    assert metric(stage.issuer, name) == before + 1


def test_a_service_account_that_is_gone_is_nobody(stage: Stage) -> None:
    """Whether another one comes or not; here no answer is remembered, for its token was not shown before."""
    stage.make_workload()
    shown = stage.assertion()
    stage.remove("ServiceAccount")
    assert not stage.serves(shown)
    make_service_account(stage.tenant)
    assert stage.serves(stage.assertion())
    assert not stage.serves(shown)


def test_an_organization_that_comes_back_admits_whom_it_names(stage: Stage) -> None:
    """Its name is its id: a token that says so is active while the agent is admitted by the one that has the name now."""
    objects, name = stage.tenant.objects, f"org-{uuid.uuid4().hex[:8]}"
    objects.create(a_resource("Organization", {"namespaces": [stage.tenant.namespace]}, name))
    stage.make_agent(organizationId=name)
    shown = token(stage.tenant.issue())
    stage.remove("Organization", name, "")
    objects.create(a_resource("Organization", {"namespaces": ["somebody-else"]}, name))
    eventually("it is not active", lambda: not stage.is_active(shown))
    objects.change("Organization", name, {"spec": {"namespaces": [stage.tenant.namespace]}})
    eventually("it is active", lambda: stage.is_active(shown))


def test_an_agent_that_comes_back_in_another_organization_leaves_its_tokens_behind(stage: Stage) -> None:
    """Under the id that it had: it is the same agent, but the claim `organization_id` of its earlier tokens is untrue now."""
    objects, names = stage.tenant.objects, [f"org-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        objects.create(a_resource("Organization", {"namespaces": [stage.tenant.namespace]}, name))
    stage.make_agent(organizationId=names[0])
    pair = stage.tenant.issue()
    shown = token(pair)
    eventually("it is active and let in", lambda: stage.is_active(shown) and stage.is_let_in(shown))
    for organization in ({"organizationId": names[1]}, {}):
        stage.remove("Agent")
        stage.make_agent(agentId=pair.client_id, **organization)
        eventually("the agent gets tokens", lambda: is_served(pair))
        assert not stage.is_active(shown)
        eventually("it is not let in", lambda: not stage.is_let_in(shown))
    assert stage.is_active(token(pair))


def test_another_manager_of_the_same_name_is_not_the_manager(stage: Stage) -> None:
    """Who asks a replica how far it is shows a token of one ServiceAccount, not of all that had its name."""
    home = Tenant(stage.tenant.objects, NAMESPACE)
    make_service_account(home, MANAGER)

    def status(shown: str) -> int:
        params = {"credential": str(uuid.uuid4()), "version": "0"}
        headers = {"Authorization": f"Bearer {shown}"}
        return httpx.get(f"{stage.issuer}{APPLIED_PATH}", params=params, headers=headers, timeout=30).status_code

    old = token_of(home, AUDIENCE, name=MANAGER)
    assert status(old) == HTTPStatus.OK
    stage.remove("ServiceAccount", MANAGER, NAMESPACE)
    make_service_account(home, MANAGER)
    assert status(token_of(home, AUDIENCE, name=MANAGER)) == HTTPStatus.OK
    assert status(old) == HTTPStatus.UNAUTHORIZED
    stage.remove("ServiceAccount", MANAGER, NAMESPACE)
