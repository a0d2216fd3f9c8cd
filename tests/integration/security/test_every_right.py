"""Every rule and every alternative of an admission policy in the chart, from both sides: what it allows and what is beside it.

The API server is asked as the identity that a rule is for. What the chart gives is written out in `tests/support/granted`: a
rule or an alternative that is not there fails here.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from devcluster.chart import VALUE_FILES
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, PROGRAMS
from tests.support.chart import Manifest, of_kind, rendered
from tests.support.crd_schema import CHECKOUT
from tests.support.granted import (
    EVERYBODY,
    ISSUER_URLS,
    PROGRAM_ROLES,
    USERS,
    Resource,
    Role,
    Rules,
    gives,
    parsed,
    written,
)
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "claim")
USER_ROLES = tuple(Role("ClusterRole", name, "", rules) for name, rules in USERS.items())
ROLES = {(one.kind, one.name): one for one in (*PROGRAM_ROLES, *USER_ROLES)}
ASKED = {
    one if not beside else one._replace(**beside)
    for rules in (*(role.rules for role in ROLES.values()), EVERYBODY)
    for one in map(parsed, rules)
    for beside in ({}, {"subresource": "status"}, {"subresource": "token"}, {"name": ""}, {"name": "another"})
}
"""What is asked about: each resource that somebody is given, and its neighbours."""

TESTED = {
    "agentidp-agent-ids": {
        "!has(object.spec.agentId)": (
            "test_without_an_id_everybody_may_create_agents_and_change_them",
            "test_an_id_is_not_for_everybody_who_may_create_agents",
        ),
        "authorizer.group('idp.sentryagent.ai').resource('agents').namespace(request.namespace).check('claim').allowed()": (
            "test_whoever_was_given_the_verb_may_declare_an_id",
            "test_an_id_is_not_for_everybody_who_may_create_agents",
        ),
    },
    "agentidp-management-api-deletions": {
        **dict.fromkeys(
            ("request.operation != 'DELETE'", "(variables.wasMadeHere && variables.ended)"),
            ("test_the_management_api_deletes_what_it_made_and_what_has_ended",),
        ),
        **dict.fromkeys(
            (
                "request.operation != 'UPDATE'",
                "request.operation == 'DELETE'",
                "!variables.isMadeHere",
                "variables.wasMadeHere",
                "variables.owners == variables.ownersBefore",
                "variables.finalizers == variables.finalizersBefore",
            ),
            (
                "test_the_management_api_deletes_what_it_made_and_what_has_ended",
                "test_the_management_api_gives_itself_nothing_to_delete",
            ),
        ),
    },
    "agentidp-management-api-tokens": dict.fromkeys(
        ("object.spec.audiences == ['agentidp-internal']", "object.spec.expirationSeconds <= 3600"),
        ("test_the_management_api_makes_tokens_of_its_own",),
    ),
    "agentidp-operator-secrets": {
        "variables.types.all(type, type == 'idp.sentryagent.ai/credential')": (
            "test_it_writes_the_secrets_of_credentials",
            "test_what_the_operator_may_write",
        ),
        f"(request.namespace == '{NAMESPACE}' && request.name == 'agentidp-signing-keys' &&"
        " variables.types.all(type, type == 'idp.sentryagent.ai/signing-keys'))": (
            "test_what_the_operator_may_write",
            "test_it_cannot_turn_its_signing_keys_into_a_token",
        ),
    },
    "agentidp-tokens-valid-after": {
        "object.metadata.managedFields.exists(entry, timestamp(object.spec.tokensValidAfter) <= timestamp(entry.time) +"
        " duration('1h'))": ("test_a_kill_switch_far_ahead_is_warned_of",),
    },
}
"""The tests of each alternative: where it allows, and where it does not."""


@pytest.mark.parametrize("values", VALUE_FILES)
def test_each_rule_of_the_chart_is_written_out(values: str) -> None:
    """And nothing else is: with whichever values."""
    manifests = [renamed(one, canonical_names(values)) for one in rendered(*VALUE_FILES[values])]
    roles = [one for one in manifests if one["kind"] in {"Role", "ClusterRole"}]
    for one in roles:
        role = ROLES[one["kind"], one["metadata"]["name"]]
        assert rules_of(one) == role.rules, one["metadata"]["name"]
        assert one["metadata"].get("namespace", "") == role.namespace
        assert urls_of(one) in (set(), ISSUER_URLS)
    for one in (one for one in manifests if one["kind"] in {"RoleBinding", "ClusterRoleBinding"}):
        name = one["metadata"]["name"]
        assert one["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}]
        assert (one["roleRef"]["kind"], one["roleRef"]["name"]) == (one["kind"].removesuffix("Binding"), name)


@pytest.mark.parametrize("values", VALUE_FILES)
def test_each_alternative_of_an_admission_policy_is_tested_from_both_sides(values: str) -> None:
    """By a test of what it allows, and one of what it does not."""
    manifests = [renamed(one, canonical_names(values)) for one in rendered(*VALUE_FILES[values])]
    found = {name: alternatives(one) for name, one in of_kind("ValidatingAdmissionPolicy", manifests).items()}
    has_management_api = any(one["metadata"]["name"] == MANAGEMENT_API.name for one in manifests)
    wanted = {name: set(tested) for name, tested in TESTED.items() if has_management_api or "management-api" not in name}
    assert found == wanted
    sources = "\n".join(path.read_text() for path in (CHECKOUT / "tests" / "integration").rglob("test_*.py"))
    named = {name for tested in TESTED.values() for tests in tested.values() for name in tests}
    assert [name for name in named if f"def {name}(" not in sources] == []


@pytest.mark.parametrize("where", ["in its own namespace", "in a tenant's namespace"])
@pytest.mark.parametrize("program", [program.name for program in PROGRAMS])
def test_a_program_is_allowed_what_its_rules_say_and_nothing_beside_it(
    program: str, where: str, cluster: ControlPlane, tenant: Tenant
) -> None:
    """Each resource that anybody is given, its status, its token, and other names, with every verb."""
    namespace = NAMESPACE if where == "in its own namespace" else tenant.namespace
    rules = everything(role for role in PROGRAM_ROLES if role.name == program and role.namespace in ("", namespace))
    with Objects(cluster.identity(NAMESPACE, program)) as identity:
        wrong = differences(identity, namespace, rules, {})
    assert wrong == []


@pytest.mark.parametrize("role", USERS)
def test_a_user_is_allowed_what_a_role_says_and_nothing_beside_it(
    role: str, cluster: ControlPlane, objects: Objects, tenant: Tenant
) -> None:
    """In the namespace where they have it, and nothing in another one."""
    user = f"user-of-{role}-in-{tenant.namespace}"
    here = f"--namespace={tenant.namespace}"
    cluster.kubectl("create", "rolebinding", role, here, f"--clusterrole={role}", f"--user={user}")
    headers = {"Impersonate-User": user, "Impersonate-Group": "system:authenticated"}
    eventually("it is given", lambda: differences(objects, tenant.namespace, USERS[role], headers), lambda wrong: wrong == [])
    assert differences(objects, NAMESPACE, {}, headers) == []


def differences(identity: Objects, namespace: str, rules: Rules, headers: dict[str, str]) -> list[str]:
    """The questions that the API server answers otherwise than the rules say."""
    expected = everything([Role("", "", "", rules), Role("", "", "", EVERYBODY)])
    return [
        f"{verb} {resource} in {namespace}"
        for resource, verb in product(sorted(ASKED), VERBS)
        if is_allowed(identity, namespace, resource, verb, headers) != gives(expected, resource, verb)
    ]


def is_allowed(identity: Objects, namespace: str, resource: Resource, verb: str, headers: dict[str, str]) -> bool:
    """As the API server reviews it."""
    attributes = resource.attributes | {"verb": verb, "namespace": namespace}
    answer = identity.ask("POST", REVIEWS, json={"spec": {"resourceAttributes": attributes}}, headers=headers)
    return bool(answer.raise_for_status().json()["status"]["allowed"])


def everything(roles: Iterator[Role] | list[Role]) -> Rules:
    """What several roles give together."""
    sum_of: Rules = {}
    for role in roles:
        for resource, verbs in role.rules.items():
            sum_of[resource] = sum_of.get(resource, set()) | verbs
    return sum_of


def rules_of(role: Manifest) -> Rules:
    """A role of the chart as it would be written out."""
    found: Rules = {}
    for rule in role["rules"]:
        for group, resource, name in product(
            rule.get("apiGroups", []), rule.get("resources", []), rule.get("resourceNames", [""])
        ):
            found.setdefault(written(group, resource, name), set()).update(rule["verbs"])
    return found


def urls_of(role: Manifest) -> set[str]:
    """What a role lets its holder GET besides resources."""
    return {url for rule in role["rules"] for url in rule.get("nonResourceURLs", [])}


def alternatives(policy: Manifest) -> set[str]:
    """Of all its validations."""
    expressions = [re.sub(r"\s+", " ", one["expression"]).strip() for one in policy["spec"]["validations"]]
    return {one.strip() for expression in expressions for one in expression.split("||")}


def canonical_names(values: str) -> dict[str, str]:
    """What the programs' ServiceAccounts are called with these values, and what they are called by default."""
    deployments = of_kind("Deployment", rendered(*VALUE_FILES[values]))
    return {one["spec"]["template"]["spec"]["serviceAccountName"]: name for name, one in deployments.items()}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """The same with the ServiceAccounts' default names."""
    match value:
        case dict():
            return {key: renamed(one, names) for key, one in value.items()}
        case list():
            return [renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value
