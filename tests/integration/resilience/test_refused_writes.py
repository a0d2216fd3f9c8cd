"""The API server does not let the operator write a Secret: people see why where they look, and what works goes on working.

As soon as it may, the operator goes on by itself.
"""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import yaml

from devcluster.cluster import ControlPlane
from devcluster.components import CONTROLLER_MANAGER
from devcluster.programs import OPERATOR, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import a_resource
from tests.support.objects import Objects, path_of
from tests.support.operator_metrics import operator_metric
from tests.support.rights import without_right_to
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import is_refused, is_served

pytestmark = pytest.mark.usefixtures("programs")

COUNT = "count/secrets"
UNTIL_IT_TRIES_AGAIN = 90.0  # its longest back-off is a minute

Describe = Callable[[Tenant], str]


@pytest.fixture
def describe(cluster: ControlPlane) -> Describe:
    """What `kubectl describe` shows of a tenant's credential."""
    return lambda tenant: cluster.kubectl("describe", "agcred", NAME, f"--namespace={tenant.namespace}").stdout


def test_without_a_right_to_secrets_what_works_goes_on_and_the_status_says_what_is_missing(
    tenant: Tenant, objects: Objects, describe: Describe, programs: Programs
) -> None:
    """403 on a rotation: Forbidden, in RBAC's words, and an alert's metric counts it. With the right given back, it is done."""
    before = tenant.issue()
    with without_right_to(objects, "secrets"):
        request_rotations(tenant)
        delivery = until_delivery_says(tenant, "Forbidden")
        assert 'agentidp-operator" cannot get resource "secrets"' in delivery["message"]
        assert until_ready_says(tenant, "Issued")["status"] == "True"
        assert undelivered(programs, "Forbidden")
        assert is_served(before)
        eventually("a warning is told", lambda: re.search(r"Warning +Forbidden", describe(tenant)))
    until_rotated(tenant, within=UNTIL_IT_TRIES_AGAIN)
    eventually("it is not counted any more", lambda: not undelivered(programs, "Forbidden"))
    eventually("the new secret is served", lambda: is_served(tenant.pair()))
    eventually("the old one is refused", lambda: is_refused(before))


def test_without_a_right_to_secrets_a_new_credential_is_not_ready(
    tenant: Tenant, objects: Objects, cluster: ControlPlane, programs: Programs
) -> None:
    """`kubectl get` says so; also a new operator has to wait, and says why in its log."""
    with without_right_to(objects, "secrets"):
        tenant.create("Agent")
        tenant.create("AgentCredential")
        until_ready_says(tenant, "Forbidden")
        shown = cluster.kubectl("get", "agcred", f"--namespace={tenant.namespace}").stdout
        assert re.search(r"Pending +False +Forbidden", shown)
        programs.restart(OPERATOR.name)
        eventually("its log says why it waits", lambda: 'cannot list resource \\"secrets' in log_since_start(programs))
    until_ready_says(tenant, "Issued")


def test_a_quota_that_is_exceeded_is_told_in_its_own_words(tenant: Tenant, describe: Describe) -> None:
    """Refused, not Forbidden: nothing is wrong with the ClusterRole. With more quota, the secret is issued."""
    with a_quota_for_secrets(tenant, most=0):
        tenant.create("Agent")
        tenant.create("AgentCredential")
        ready = until_ready_says(tenant, "Refused")
        assert "exceeded quota: secrets" in ready["message"]
        eventually("a warning is told", lambda: re.search(r"Warning +Refused .*exceeded quota", describe(tenant)))
        tenant.objects.change("ResourceQuota", "secrets", {"spec": {"hard": {COUNT: "1"}}}, tenant.namespace)
        until_ready_says(tenant, "Issued")


def test_a_quota_does_not_stop_a_rotation(tenant: Tenant) -> None:
    """It needs no second Secret."""
    before = tenant.issue()
    with a_quota_for_secrets(tenant, most=1):
        request_rotations(tenant)
        until_rotated(tenant)
        assert tenant.pair() != before


@pytest.mark.parametrize("name", ["Upper", "under_score", "dots..dots", "-dash", "dash-", "a" * 254, ""])
def test_a_secret_name_that_kubernetes_refuses_is_refused_with_the_credential(name: str, cluster: ControlPlane) -> None:
    """It does not come so far that the operator could be refused."""
    credential = a_resource("AgentCredential", {"secret": {"name": name}}, NAME)
    said = cluster.kubectl("create", "--filename=-", input=yaml.safe_dump(credential), check=False).stderr
    assert "spec.secret.name: " in said


@pytest.mark.parametrize("name", ["a" * 253, "a.b-c.9", "0"])
def test_every_secret_name_that_a_credential_may_have_is_one_that_kubernetes_takes(name: str, tenant: Tenant) -> None:
    """The longest, dots, digits."""
    pair = tenant.issue(secret={"name": name})
    eventually("it is served", lambda: is_served(pair))


def test_a_name_that_a_policy_of_the_cluster_refuses_is_told_in_its_words(
    tenant: Tenant, cluster: ControlPlane, describe: Describe
) -> None:
    """422: Refused. The credential takes another name, and is issued."""
    tenant.create("Agent")
    with a_policy_for_secret_names(tenant, cluster):
        tenant.create("AgentCredential")
        ready = until_ready_says(tenant, "Refused")
        assert "Secrets are called app-something here" in ready["message"]
        eventually("a warning is told", lambda: re.search(r"Warning +Refused .*app-something", describe(tenant)))
        tenant.change("AgentCredential", secret={"name": "app-screener"})
        until_ready_says(tenant, "Issued")
        assert tenant.find("Secret", "app-screener")


def test_a_namespace_that_is_being_deleted_gets_no_secret_and_goes(
    tenant: Tenant, cluster: ControlPlane, objects: Objects
) -> None:
    """Its Secret goes first, the credential is still there: Refused. Nothing holds the namespace up."""
    tenant.issue()
    controllers = cluster.component(CONTROLLER_MANAGER)
    controllers.signal(signal.SIGSTOP)
    try:
        objects.remove("Namespace", tenant.namespace)
        tenant.remove("Secret")
        delivery = until_delivery_says(tenant, "Refused")
        assert "because it is being terminated" in delivery["message"]
    finally:
        controllers.signal(signal.SIGCONT)
    eventually(
        "the namespace is gone", lambda: objects.find("Namespace", tenant.namespace) is None, within=UNTIL_IT_TRIES_AGAIN
    )


def until_delivery_says(tenant: Tenant, reason: str) -> Manifest:
    """The condition SecretDelivered, as soon as it has this reason."""
    return until_condition(tenant, "SecretDelivered", reason)


def until_ready_says(tenant: Tenant, reason: str) -> Manifest:
    """The condition Ready, as soon as it has this reason."""
    return until_condition(tenant, "Ready", reason)


def until_condition(tenant: Tenant, kind: str, reason: str) -> Manifest:
    """The condition, as soon as it has this reason."""
    found = eventually(
        f"{kind} says {reason}",
        lambda: condition_of(tenant.get("AgentCredential"), kind),
        lambda seen: seen and seen["reason"] == reason,
        UNTIL_IT_TRIES_AGAIN,
    )
    assert found
    return found


def undelivered(programs: Programs, reason: str) -> float | None:
    """How many credentials the operator counts whose Secret it cannot write for this reason."""
    return operator_metric(programs, f'agentidp_credentials_undelivered{{reason="{reason}"}}')


def log_since_start(programs: Programs) -> str:
    """What the operator that runs now has logged."""
    return programs.log(OPERATOR.name).read_text().rpartition("waiting for the lease")[2]


@contextmanager
def a_quota_for_secrets(tenant: Tenant, most: int) -> Iterator[None]:
    """While the block runs."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "secrets"}}
    tenant.objects.create(quota | {"spec": {"hard": {COUNT: str(most)}}}, tenant.namespace)
    until_quota_counts(tenant, most)
    yield
    tenant.objects.remove("ResourceQuota", "secrets", tenant.namespace)


def until_quota_counts(tenant: Tenant, most: int) -> None:
    """Its controller has seen it."""
    quota = partial(tenant.objects.get, "ResourceQuota", "secrets", tenant.namespace)
    eventually("the quota is in force", quota, lambda seen: seen["status"].get("hard", {}).get(COUNT) == str(most))


@contextmanager
def a_policy_for_secret_names(tenant: Tenant, cluster: ControlPlane) -> Iterator[None]:
    """While the block runs, Secrets of this tenant must have names that begin with "app-"."""
    manifests = yaml.safe_dump_all(policy_for(tenant.namespace))
    cluster.kubectl("apply", "--filename=-", input=manifests)
    eventually("the policy is in force", lambda: not may_be_created(tenant, "another-name"))
    yield
    cluster.kubectl("delete", "--filename=-", input=manifests)


def policy_for(namespace: str) -> list[Manifest]:
    """For the Secrets of one namespace."""
    group = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": namespace}}
    secrets = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
    rule = {"expression": "object.metadata.name.startsWith('app-')", "message": "Secrets are called app-something here"}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    policy = {"matchConstraints": {"resourceRules": [secrets]}, "validations": [rule]}
    binding = {"policyName": namespace, "validationActions": ["Deny"], "matchResources": here}
    return [
        group | {"kind": "ValidatingAdmissionPolicy", "spec": policy},
        group | {"kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]


def may_be_created(tenant: Tenant, name: str) -> bool:
    """Whether the API server would take a Secret of this name."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
    answer = tenant.objects.ask("POST", path_of("Secret", tenant.namespace), json=secret, params={"dryRun": "All"})
    return answer.is_success
