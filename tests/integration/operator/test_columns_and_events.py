"""What kubectl shows of agents and credentials: columns, names, events."""

import re
from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl
from devcluster.programs import Programs
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

Row = dict[str, str]


@pytest.fixture(scope="module")
def tenant(operator: Programs, objects: Objects) -> Tenant:
    """With an agent of an organization, and a credential with a schedule and an end."""
    tenant = Tenant.new(objects)
    objects.create(a_resource("Organization", {"namespaces": [tenant.namespace]}, tenant.namespace))
    tenant.create("Agent", organizationId=tenant.namespace)
    tenant.issue(expiresAt="2990-01-01T00:00:00Z", rotation={"every": "720h"}, secret={"name": "for-my-pod"})
    return tenant


@pytest.fixture(scope="module")
def kubectl(cluster: ControlPlane) -> Kubectl:
    """As an admin types it."""
    return cluster.access.kubectl


def test_get_credentials_tells_what_matters(tenant: Tenant, kubectl: Kubectl) -> None:
    """By the short name: whose it is, whether it works, where the pair is, what comes next."""
    (row,) = table(kubectl("get", "agcred", f"--namespace={tenant.namespace}").stdout)
    status = tenant.get("AgentCredential")["status"]
    assert row.pop("AGE")
    assert row == {
        "NAME": NAME,
        "AGENT": NAME,
        "PHASE": "Active",
        "READY": "True",
        "REASON": "Issued",
        "SECRET": "for-my-pod",
        "EXPIRES": "2990-01-01T00:00:00Z",
        "ROTATED": "",
        "NEXT-ROTATION": status["nextRotationAt"],
    }


def test_get_agents_tells_what_matters(tenant: Tenant, kubectl: Kubectl) -> None:
    """By the short name, with the number of credentials that work."""
    eventually("the credential is counted", lambda: tenant.get("Agent")["status"]["credentials"]["active"])
    (row,) = table(kubectl("get", "agt", f"--namespace={tenant.namespace}").stdout)
    assert row.pop("AGE")
    assert row == {
        "NAME": NAME,
        "PHASE": "Active",
        "READY": "True",
        "REASON": "Registered",
        "CREDENTIALS": "1",
        "ORG": tenant.namespace,
        "ENV": "Production",
    }


def test_get_wide_shows_the_client_id(tenant: Tenant, kubectl: Kubectl) -> None:
    """Which is the agent's id."""
    (row,) = table(kubectl("get", "agcred", "--output=wide", f"--namespace={tenant.namespace}").stdout)
    assert row["CLIENT-ID"] == tenant.get("Agent")["status"]["agentId"]


def test_one_word_gets_everything(tenant: Tenant, kubectl: Kubectl) -> None:
    """The category holds all our kinds."""
    names = kubectl("get", "agentidp", "--output=name", f"--namespace={tenant.namespace}").stdout.split()
    assert {f"agent.idp.sentryagent.ai/{NAME}", f"agentcredential.idp.sentryagent.ai/{NAME}"} <= set(names)


def test_an_organization_counts_its_agents(tenant: Tenant, objects: Objects) -> None:
    """Those that it has admitted."""
    eventually("one is counted", lambda: objects.get("Organization", tenant.namespace).get("status", {}).get("agents") == 1)


def test_events_tell_the_story_of_a_credential(tenant: Tenant, kubectl: Kubectl) -> None:
    """From its first secret to its end, where `kubectl describe` shows it."""
    name = "with-a-story"
    tenant.issue(name)
    tenant.remove("Secret", name)
    eventually("the Secret is back", lambda: tenant.find("Secret", name))
    tenant.change("AgentCredential", name, state="Revoked")
    tenant.until("AgentCredential", "CredentialRevoked", name)
    story = [
        "The credential works.",
        "was gone: issued a new secret",
        "Removed Secret 'with-a-story'",
        "The credential is revoked",
    ]
    described = lambda: kubectl("describe", "agcred", name, f"--namespace={tenant.namespace}").stdout  # noqa: E731
    eventually("all of it is told", described, lambda text: all(line in text for line in story))


def test_a_trouble_is_a_warning(tenant: Tenant, objects: Objects) -> None:
    """So that an alert can tell it from the ordinary."""
    tenant.create("AgentCredential", "orphan", agentRef={"name": "nobody"})
    tenant.until("AgentCredential", "AgentNotFound", "orphan")
    events = eventually("it is told", lambda: events_about(objects, tenant, "orphan"))
    assert [(event["type"], event["reason"], event["reportingController"]) for event in events] == [
        ("Warning", "AgentNotFound", "agentidp-operator")
    ]


def events_about(objects: Objects, tenant: Tenant, name: str) -> list[Row]:
    """The events about the object of this name."""
    return [event for event in objects.list("Event", tenant.namespace) if event["regarding"]["name"] == name]


def table(printed: str) -> Iterator[Row]:
    """The rows of what kubectl prints: a cell begins under its heading, and may be empty."""
    head, *lines = printed.splitlines()
    names, starts = head.split(), [heading.start() for heading in re.finditer(r"\S+", head)]
    for line in lines:
        cells = (line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True))
        yield dict(zip(names, cells, strict=True))
