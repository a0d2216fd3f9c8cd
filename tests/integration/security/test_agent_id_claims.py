"""Who may declare an agent's id: an identity that was deleted cannot be taken by whoever may create agents somewhere."""

import json

import pytest

from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl, KubectlError
from tests.support.manifests import a_resource
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

AGENT_ID = "5b0a3a52-7c8e-4f7e-9d59-0f4f4f1f2a11"
EDITOR = "editor"


@pytest.fixture
def editor(cluster: ControlPlane, tenant: Tenant) -> Kubectl:
    """Somebody who may do everything with agents in a namespace, but was not given the verb `claim`."""
    kubectl = cluster.kubectl
    here = f"--namespace={tenant.namespace}"
    kubectl("create", "serviceaccount", EDITOR, here)
    verbs = "--verb=get,list,watch,create,update,patch,delete"
    kubectl("create", "role", EDITOR, here, verbs, "--resource=agents.idp.sentryagent.ai")
    kubectl("create", "rolebinding", EDITOR, here, f"--role={EDITOR}", f"--serviceaccount={tenant.namespace}:{EDITOR}")
    return cluster.kubectl_as(tenant.namespace, EDITOR)


def test_an_id_is_not_for_everybody_who_may_create_agents(editor: Kubectl, tenant: Tenant) -> None:
    """The refusal says what to do, and nothing is created."""
    with pytest.raises(KubectlError) as refusal:
        apply(editor, tenant, agentId=AGENT_ID)
    assert "spec.agentId may be declared only by who has the verb" in refusal.value.stderr
    assert "leave it out" in refusal.value.stderr.replace("\n", " ")
    assert tenant.find("Agent") is None


def test_without_an_id_everybody_may_create_agents_and_change_them(editor: Kubectl, tenant: Tenant) -> None:
    """The policy is about the id alone."""
    apply(editor, tenant)
    apply(editor, tenant, owner="somebody-else")
    assert tenant.get("Agent")["spec"]["owner"] == "somebody-else"


def test_whoever_was_given_the_verb_may_declare_an_id(cluster: ControlPlane, editor: Kubectl, tenant: Tenant) -> None:
    """As a tool that restores needs it."""
    here = f"--namespace={tenant.namespace}"
    cluster.kubectl("create", "role", "claim", here, "--verb=claim", "--resource=agents.idp.sentryagent.ai")
    cluster.kubectl("create", "rolebinding", "claim", here, "--role=claim", f"--serviceaccount={tenant.namespace}:{EDITOR}")
    eventually("the id is accepted", lambda: accepted(editor, tenant), bool)
    assert tenant.get("Agent")["spec"]["agentId"] == AGENT_ID


def accepted(editor: Kubectl, tenant: Tenant) -> bool:
    """Whether the API server takes it; it learns of new rights a moment later."""
    try:
        apply(editor, tenant, agentId=AGENT_ID)
    except KubectlError:
        return False
    return True


def apply(editor: Kubectl, tenant: Tenant, **spec: str) -> None:
    """As the editor."""
    manifest = a_resource("Agent", spec, "screener")
    editor("apply", f"--namespace={tenant.namespace}", "--filename=-", input=json.dumps(manifest))
