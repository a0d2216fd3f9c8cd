"""The guides and the runbooks: what they tell people to type works as it stands."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import pytest
import yaml

from devcluster.binary import control_plane_binary
from devcluster.cluster import ControlPlane
from devcluster.folder import Folder
from devcluster.kubectl import kubectl_program
from devcluster.ports import ReservedPort
from devcluster.programs import Programs
from tests.support import argo_cd
from tests.support.api_server import ApiServer
from tests.support.crd_schema import CHECKOUT
from tests.support.guides import PAGES, TYPED, all_blocks_of, blocks_of, steps_of
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.shell import Shell
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_refused, is_served, verified

SECRET = "screener-credentials"
MADE = "agentcredentials,agents,deployments,serviceaccounts,secrets,roles,rolebindings"

Type = Callable[[str], str]


@pytest.fixture
def type_in(cluster: ControlPlane, all_programs: Programs, tmp_path: Path) -> Iterator[Type]:
    """A shell in which a person types, where `make up` has written `.dev/env`; what was made is removed in the end."""
    checkout, logs = tmp_path / "checkout", tmp_path / "logs"
    folder = Folder(checkout / ".dev")
    folder.path.mkdir(parents=True)
    logs.mkdir()
    (checkout / "examples").symlink_to(CHECKOUT / "examples")
    (checkout / ".venv").symlink_to(sys.prefix)
    folder.write_commands(kubectl_program(), control_plane_binary())
    port, kubectl = ReservedPort(), cluster.access.kubectl
    folder.write_environment(kubectl.variables() | all_programs.url_variables())
    with Shell(checkout, logs, port=port.number) as shell:
        shell.type(". .dev/env")
        yield shell.type
    port.release()
    assert sorted(one.name for one in checkout.iterdir()) == [".dev", ".venv", "examples"], "nothing is left in the checkout"
    kubectl("delete", MADE, "--all", "--namespace=agents-demo")
    kubectl("delete", "organization", "acme", "--ignore-not-found")


@pytest.fixture
def demo(objects: Objects) -> Tenant:
    """The namespace in which the guides work."""
    return Tenant(objects, "agents-demo")


NOT_RUN: dict[str, dict[str, str]] = {
    "README": {"curl -d": "in a pod; a test below runs it where a folder stands for the mount"},
    "SECURITY": {"cosign verify": "needs a release"},
    "benchmarks": {"make bench": "takes hours; each benchmark has a smoke test"},
    "install": {
        "docker build": "needs an image builder; make e2e builds with buildah",
        "helm test": "needs a pod; make e2e runs it",
    },
    "runbooks": {
        "kubectl logs": "of pods",
        "kubectl top": "of pods, and needs a metrics server",
        "kubectl port-forward": "to a pod",
        "kubectl get secret NAME": "names what only its reader knows",
        "sum by": "a query for Prometheus",
        "max(": "a query for Prometheus",
    },
    "verify-tokens": {
        "cd examples/resource-servers": "fetches packages; test_language_examples runs these programs with the locked ones",
        "cd examples/clients": "as above",
    },
}
"""How the blocks without a mark begin, page by page, and why no test runs them."""


@pytest.mark.parametrize("page", PAGES)
def test_a_block_that_is_not_run_is_known_with_its_reason(page: str) -> None:
    """What is printed or drawn is marked as text; any other block without a mark is in the list above, and nothing else is."""
    begins = [block.text.splitlines()[0] for block in all_blocks_of(PAGES[page]) if not block.mark]
    known = NOT_RUN.get(page, {})
    assert [one for one in begins if not one.startswith(tuple(known))] == []
    assert [one for one in known if not any(begin.startswith(one) for begin in begins)] == [], "nothing begins like this"


def test_each_page_with_commands_has_a_test() -> None:
    """A new one whose commands nobody runs is found here."""
    with_commands = {page for page, path in PAGES.items() if blocks_of(path, TYPED)}
    tests = "".join(path.read_text() for path in (CHECKOUT / "tests" / "integration").rglob("test_*.py"))
    assert with_commands == set(re.findall(r'steps_of\("(.+?)"\)', tests))


ON_A_COMMAND_LINE = {
    "the pair of HTTP Basic": r"curl[^|]*?\s(-u|--user)[ =]",
    "a bearer token": r"(-H|--header)[ =]*[\"']?Authorization:",
    "a parameter with a secret": r"""--data\S*[ =]["']?(client_secret|token|client_assertion)=""",
    "--fail, which hides why": r"\s--fail(?!-with-body)\b",
}
"""What commands that people copy must not have: secrets where all users of the machine see them, and hidden errors."""


@pytest.mark.parametrize("what", ON_A_COMMAND_LINE)
def test_commands_to_copy_show_no_secret_and_hide_no_error(what: str) -> None:
    """On any page, in what is run and what is not, and in the examples."""
    shown = {page: "\n".join(block.text for block in all_blocks_of(path)) for page, path in PAGES.items()}
    shown |= {path.name: path.read_text() for path in (CHECKOUT / "examples").glob("*.*")}
    shown["demo"] = (CHECKOUT / "demo" / "workload.py").read_text()
    joined = {page: text.replace("\\\n", " ") for page, text in shown.items()}
    assert [page for page, text in joined.items() if re.search(ON_A_COMMAND_LINE[what], text)] == []


def test_a_manifest_that_is_shown_is_accepted(api_server: ApiServer) -> None:
    """Each of ours, as it stands, in the README and in the guides."""
    shown = [one for path in PAGES.values() for block in blocks_of(path, "yaml") for one in yaml.safe_load_all(block)]
    ours = [one for one in shown if one["apiVersion"].startswith("idp.sentryagent.ai/")]
    assert len(ours) > 1
    for one in ours:
        del one["metadata"]["namespace"]
        assert api_server.create(one, dry_run=True).message == ""


def test_an_agent_without_a_secret(type_in: Type, all_programs: Programs) -> None:
    """From the start, and from secrets to none: the token is the agent's, and in the end there is no credential left."""
    apply, ask, *others, _ = steps_of("secretless")
    type_in(apply)
    answer = type_in(ask)
    claims = verified(re.findall(r'"access_token":"([^"]+)"', answer)[0], all_programs.token_url, "https://tickets.example")
    assert claims["scope"] == "tickets:read tickets:route"
    type_in("kubectl wait --for=condition=Ready --namespace=agents-demo agentcredential/screener")
    for step in others:
        type_in(step)
    assert type_in("kubectl get agentcredentials --namespace=agents-demo --output=name") == ""


def test_managing_credentials_over_http(type_in: Type) -> None:
    """From the first to the last day of a credential, and of an agent: each answer has the documented shape."""
    said = [type_in(step) for step in steps_of("manage-credentials")]
    names = {3: "generated", 4: "listed", 5: "rotated", 6: "leaked", 8: "delivered", 9: "registered"}
    first_json = json.JSONDecoder().raw_decode
    answers = {name: first_json(said[place][said[place].index("{") :])[0] for place, name in names.items()}
    facts = {"credentialId", "clientId", "status", "createdAt", "expiresAt", "revokedAt"}
    assert answers["generated"].keys() == answers["rotated"].keys() == answers["leaked"].keys() == facts | {"clientSecret"}
    assert answers["rotated"]["credentialId"] == answers["generated"]["credentialId"]
    assert answers["rotated"]["clientSecret"] != answers["generated"]["clientSecret"]
    assert answers["generated"]["credentialId"] in {one["credentialId"] for one in answers["listed"]["data"]}
    assert answers["listed"].keys() == {"data", "total", "page", "limit"}
    assert answers["delivered"].keys() == facts | {"secretRef"}
    assert answers["delivered"]["secretRef"] == {"namespace": "agents-demo", "name": "screener-credentials"}
    assert answers["registered"]["email"] == "router@agents.example"


def test_rotating_on_request(type_in: Type, demo: Tenant) -> None:
    """Within the overlap both secrets are accepted, and what is shown says so; asked for without the plugin, it is as well."""
    apply, rotate, ask_by_patch, look, *_ = steps_of("rotation")
    type_in(apply)
    first = demo.pair(SECRET)
    type_in(rotate)
    second = demo.pair(SECRET)
    assert second.client_secret != first.client_secret
    time.sleep(1.1)  # so close behind the last one, a request in whole seconds may be taken for it (decision 28)
    type_in(ask_by_patch)
    third = demo.another_pair(second, SECRET)
    assert all(map(is_served, (first, second, third)))
    expected = (r"2, ends in 5\dm +end of overlap in 5\dm", "ROTATED", "RotationRequested")
    eventually("all is shown", lambda: type_in(look), lambda shown: all(re.search(one, shown) for one in expected))


def test_rotating_on_schedule_and_when_unused(type_in: Type, demo: Tenant) -> None:
    """The next rotation is due in 30 days; an old secret is declared to be kept for as long as it is used."""
    apply, _, _, _, schedule, keep, events, *_ = steps_of("rotation")
    type_in(apply)
    assert "rotation in 29d" in type_in(schedule)
    type_in(keep)
    assert demo.get("AgentCredential")["spec"]["rotation"]["retire"] == "WhenUnused"
    eventually("events are shown", lambda: type_in(events), lambda text: "Issued" in text)


def test_rotating_with_no_outage_and_at_once(type_in: Type, demo: Tenant) -> None:
    """A planned rotation refuses nobody; one after a leak refuses the secret that was in use, and older ones in an overlap."""
    apply, _, _, _, _, _, _, plan, restart, replace_at_once, _ = steps_of("rotation")
    type_in(apply)
    old = demo.pair(SECRET)
    type_in(plan)
    leaked = demo.pair(SECRET)
    assert is_served(old)
    assert is_served(leaked)
    assert "deployment.apps/screener restarted" in type_in(restart)
    type_in(replace_at_once)
    eventually("it is refused", lambda: is_refused(leaked))
    eventually("an older one is refused, too", lambda: is_refused(old))
    assert is_served(demo.pair(SECRET))


def test_committing_to_git(type_in: Type, demo: Tenant) -> None:
    """What is applied does not drift, and a commit rotates once and suspends."""
    apply, compare, rotate, suspend, *_ = steps_of("gitops")
    type_in(apply)
    assert type_in(compare) == ""
    first = demo.pair("summarizer-credentials")
    type_in(rotate)
    second = demo.another_pair(first, "summarizer-credentials")
    type_in("kubectl apply --server-side --field-manager=gitops --filename=$REPOSITORY")
    type_in("kubectl wait --for=condition=Ready --namespace=agents-demo agentcredential/summarizer")
    assert demo.pair("summarizer-credentials") == second
    type_in(suspend)
    eventually("it is refused", lambda: is_refused(second))
    assert {argo_cd.health(demo.get(kind, "summarizer")) for kind in ("Agent", "AgentCredential")} == {"Suspended"}


@pytest.mark.usefixtures("all_programs")
def test_argo_cd_is_told_how_things_are(tenant: Tenant) -> None:
    """By the script of the guide: what waits makes progress, what works is healthy, what expired is not."""
    unseen = a_resource("Agent") | {"metadata": {"name": "unseen", "generation": 1}}
    assert argo_cd.health(unseen) == "Progressing"
    tenant.create("AgentCredential")
    assert argo_cd.health(tenant.until("AgentCredential", "AgentNotFound")) == "Progressing"
    tenant.create("Agent")
    assert argo_cd.health(tenant.until("AgentCredential", "Issued")) == "Healthy"
    assert argo_cd.health(tenant.until("Agent", "Registered")) == "Healthy"
    tenant.change("AgentCredential", expiresAt="2026-01-01T00:00:00Z")
    assert argo_cd.health(tenant.until("AgentCredential", "CredentialExpired")) == "Degraded"
    tenant.change("AgentCredential", state="Revoked")
    assert argo_cd.health(tenant.until("AgentCredential", "CredentialRevoked")) == "Suspended"


def test_changing_beside_git(type_in: Type, demo: Tenant) -> None:
    """A rotation by hand is kept where Git says nothing of it."""
    apply, _, _, _, beside, *_ = steps_of("gitops")
    type_in(apply)
    before = demo.pair(SECRET)
    assert "rotated\n" in type_in(beside)
    assert "requestedAt" in demo.get("AgentCredential")["spec"]["rotation"]
    assert demo.pair(SECRET).client_secret != before.client_secret


def test_applying_as_a_tool(type_in: Type, demo: Tenant) -> None:
    """With `edit` alone it may not declare an id; with `claim` it may."""
    _, _, _, _, _, give, as_the_tool, _ = steps_of("gitops")
    type_in("kubectl apply --filename=examples/quickstart.yaml")
    type_in(give)
    eventually("it may", lambda: type_in(f"({as_the_tool}) 2>&1 || true"), lambda told: "summarizer serverside-applied" in told)
    assert demo.until("Agent", "Registered", "summarizer")["status"]["agentId"] == "6b1f4f5e-3c0a-4f0e-9d59-0d6f6d1f6a52"
    type_in("kubectl delete --filename=examples/gitops.yaml")
    type_in("kubectl delete role agent-ids --namespace=agents-demo")
    refused = "spec.agentId may be declared only by who has the verb"
    eventually("it may not", lambda: type_in(f"({as_the_tool}) 2>&1 || true"), lambda told: refused in told)


@pytest.mark.parametrize("known", [True, False], ids=["its secret is known", "its bcrypt hash is known"])
def test_migrating_a_client(known: bool, type_in: Type, demo: Tenant, all_programs: Programs) -> None:
    """It keeps its id and its secret; then the operator takes over, and both secrets are accepted for as long as declared."""
    have, hash_it, rename_hash, declare, ask, take_over, _ = steps_of("migrate")
    type_in(have)
    old = Path(type_in('echo "$OLD"').strip())
    client_id, secret = (old / "client_id").read_text(), (old / "client_secret").read_text()
    assert {"+", "%"} < set(secret)
    type_in(hash_it if known else rename_hash)
    type_in(declare)
    answer = type_in(ask)
    claims = verified(re.findall(r'"access_token":"([^"]+)"', answer)[0], all_programs.token_url, "https://invoices.example")
    assert claims["sub"] == client_id
    assert demo.find("Secret", "billing-credentials") is None
    type_in(take_over)
    delivered = demo.pair("billing-credentials")
    assert delivered.client_id == client_id
    assert is_served(delivered)
    assert json.loads(type_in(ask))["token_type"] == "Bearer"
    type_in("rm -r $OLD")


@pytest.fixture
def teams(type_in: Type, objects: Objects) -> Iterator[list[str]]:
    """The steps after the administrator's, in the two namespaces that these make."""
    as_admin, *others, _ = steps_of("tenancy")
    type_in(as_admin)
    yield others
    policy = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    type_in(f"kubectl delete {policy} agents-have-an-organization --ignore-not-found")
    type_in("kubectl delete organization/red namespace/team-red namespace/team-blue")


def test_what_a_team_may_do(teams: list[str], type_in: Type) -> None:
    """In its own namespace, and nothing with organizations, statuses and ids."""
    may, may_not, *_ = teams
    rights = {line.split()[0]: line.split("[")[-1].rstrip("]") for line in type_in(may).splitlines()}
    declare = "create update patch delete deletecollection get list watch"
    read = "get list watch"
    kinds = {"agentcredentials": declare, "agents": declare, "organizations": read, "tokenrevocations": read}
    assert rights == {f"{kind}.idp.sentryagent.ai": verbs for kind, verbs in kinds.items()}
    assert type_in(may_not).split() == ["no", "no", "no"]


def test_agents_of_teams(teams: list[str], type_in: Type, objects: Objects) -> None:
    """Of the team that is admitted it gets tokens within bounds, and none when the tenant is cut off; of another none."""
    _, _, declare, show_claims, intrude, administer, exceed, cut_off, _ = teams
    type_in(declare)
    claims = json.loads(type_in(show_claims))["claims"]
    assert (claims["organization_id"], claims["scope"]) == ("red", "orders:read")
    told = eventually("it is told", lambda: type_in(intrude), lambda text: "OrganizationNotAdmitted" in text)
    assert "Organization 'red' does not admit namespace 'team-blue'. Ask " in told
    type_in(administer)
    assert objects.get("Organization", "red")["spec"]["administrators"][0]["scopes"] == ["agents:read"]
    eventually("it is told", lambda: type_in(exceed), lambda text: "OrganizationLimitReached" in text)
    pair = Tenant(objects, "team-red").pair("worker")
    assert is_served(pair)
    type_in(cut_off)
    eventually("it is refused", lambda: is_refused(pair))


def test_every_agent_in_an_organization(teams: list[str], type_in: Type) -> None:
    """By a policy of the cluster: without one an agent is refused, with one it is not."""
    *_, require = teams
    type_in(require)
    eventually("it is refused", lambda: type_in(try_out()), lambda told: "name the organization of your team" in told)
    assert "created (server dry run)" in type_in(try_out(organizationId="red"))


def try_out(**spec: str) -> str:
    """A command that tells whether the API server takes an agent with this spec in a team's namespace."""
    agent = json.dumps(a_resource("Agent", spec))
    return f"kubectl create --namespace=team-red --dry-run=server --filename=- 2>&1 <<END || true\n{agent}\nEND"


def test_taking_tokens_and_getting_them(type_in: Type, all_programs: Programs) -> None:
    """The Python API refuses who has no token and takes the Python client's; a token that is revoked is not active any more."""
    get_the_secret, call, ask, revoke, clean_up = steps_of("verify-tokens")
    type_in(get_the_secret)
    nobody, client = type_in(call).splitlines()[-1].split("}", 1)
    assert "Not authenticated" in nobody
    told = json.loads(client)
    assert told["answer"]["resumes"] == []
    assert told["active"] == [True, False]
    assert json.loads(type_in(ask))["active"] is True
    assert json.loads(type_in(revoke))["active"] is False
    type_in(clean_up)
    assert type_in("ls $AGENT_SECRET 2> /dev/null || true") == ""


@pytest.mark.parametrize("secret", ["sk_live_0123456789abcdef0123456789abcdef", "a+b%2Bc d=&e%", "ä%C3%A4+"])
def test_what_the_readme_shows_of_a_pod(secret: str, type_in: Type, tmp_path: Path) -> None:
    """With whatever secret: its characters come as they are (RFC 6749, section 2.3.1)."""
    (ask,) = [block.text for block in all_blocks_of(PAGES["README"]) if block.text.startswith("curl -d")]
    type_in("kubectl apply --filename=examples/quickstart.yaml")
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(10)).decode()
    spec = {"agentRef": {"name": "screener"}, "secretHash": {"hash": hashed}}
    credential = a_resource("AgentCredential", spec, "provided")
    type_in(f"kubectl apply --namespace=agents-demo --filename=- <<'END'\n{json.dumps(credential)}\nEND")
    type_in("kubectl wait --for=condition=Ready --namespace=agents-demo agentcredential/provided agentcredential/screener")
    read = (
        "kubectl get secret screener-credentials --namespace=agents-demo --output=jsonpath='{.data.%s}' | base64 --decode > %s"
    )
    mount = tmp_path / "mount"
    mount.mkdir()
    type_in(f"cd {mount}\n" + "\n".join(read % (key, key) for key in ("client_id", "token_endpoint")))
    (mount / "client_secret").write_text(secret)
    assert json.loads(type_in(ask))["token_type"] == "Bearer"


def test_looking_where_the_runbooks_say(type_in: Type) -> None:
    """All that needs no pods: everything that they ask about is there, and every right that a program needs is given."""
    type_in("kubectl apply --filename=examples/quickstart.yaml")
    told = "\n".join(map(type_in, steps_of("runbooks")))
    for there in ("screener", "agentidp-operator ", "agentidp-signing-keys "):
        assert there in told
    assert told.splitlines().count("yes") == 5, "each right that is asked about"
