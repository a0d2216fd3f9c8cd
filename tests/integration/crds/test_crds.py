"""The five kinds as people meet them in kubectl: names, columns, selectors, explanations, waiting, refusals."""

import json
import re
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest

from agentidp.domain.resources import GROUP
from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl, KubectlError
from tests.support.api_server import ApiServer
from tests.support.crd_cases import REFUSED
from tests.support.crd_schema import Manifest, crds, fields, full_manifests, schema_of
from tests.support.manifests import a_credential, a_resource
from tests.support.objects import Objects
from tests.support.tenants import Tenant


@pytest.fixture(scope="module")
def kubectl(cluster: ControlPlane, api_server: ApiServer) -> Iterator[Kubectl]:
    """kubectl, where the full resources exist with their status."""
    for resource in full_manifests():
        assert api_server.create(resource).message == ""
        if "status" in resource:
            assert api_server.set_status(resource, resource["status"]).message == ""
    cluster.access.kubectl("api-resources")  # what kubectl remembers is from before the CRDs
    yield cluster.access.kubectl
    for resource in full_manifests():
        api_server.delete(resource)


def table(kubectl: Kubectl, *arguments: str) -> list[str]:
    """What `kubectl get` prints for the only resource of a kind: each column with its value, ages and blanks evened out."""
    header, row = kubectl("get", *arguments).stdout.splitlines()
    starts = [column.start() for column in re.finditer(r"\S+", header)]
    ends = [*starts[1:], None]
    cells = [(header[start:end].strip(), row[start:end].strip()) for start, end in zip(starts, ends, strict=True)]
    return [f"{name}: {'…' if name in {'AGE', 'ROTATED'} else value}" for name, value in cells]


@pytest.mark.parametrize(
    ("arguments", "columns"),
    {
        ("agents", "full"): [
            "NAME: full",
            "PHASE: Suspended",
            "READY: False",
            "REASON: AgentSuspended",
            "CREDENTIALS: 1",
            "ORG: acme",
            "ENV: Production",
            "AGE: …",
        ],
        ("agentcredentials", "full"): [
            "NAME: full",
            "AGENT: screener",
            "PHASE: Active",
            "READY: True",
            "REASON: Issued",
            "SECRET: screener-credentials",
            "EXPIRES: 2027-01-01T00:00:00Z",
            "ROTATED: …",
            "NEXT-ROTATION: 2026-03-03T12:00:00Z",
            "AGE: …",
        ],
        ("organizations", "full"): [
            "NAME: full",
            "DISPLAY-NAME: Acme Corp.",
            "TIER: Enterprise",
            "READY: True",
            "AGENTS: 1",
            "AGE: …",
        ],
        ("pendingchanges", "5f1c2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b"): [
            "NAME: 5f1c2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b",
            "OPERATION: Rotate",
            "STATE: RollingBack",
            "NAMESPACE: agents-demo",
            "CREDENTIAL: screener-0a1b2c3d4e",
            "AGE: …",
        ],
        ("tokenrevocations", "3b2c4d5e-6f70-4182-93a4-b5c6d7e8f90a"): [
            "NAME: 3b2c4d5e-6f70-4182-93a4-b5c6d7e8f90a",
            "CLIENT: 1f0d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b",
            "EXPIRES: 2026-03-01T13:00:00Z",
            "AGE: …",
        ],
    }.items(),
    ids=lambda argument: argument[0] if isinstance(argument, tuple) else "",
)
def test_columns_tell_the_story(kubectl: Kubectl, arguments: tuple[str, ...], columns: list[str]) -> None:
    """What it is, whether it works and why not, and what happens next, without `describe`."""
    assert table(kubectl, *arguments) == columns


@pytest.mark.parametrize(
    ("kind", "columns"),
    {
        "agents": [
            "AGENT-ID: 1f0d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b",
            "CREDENTIAL-POLICY: WorkloadOnly",
            "TYPE: Screener",
            "OWNER: Talent Platform",
            "EMAIL: screener@agents.example",
        ],
        "organizations": ['NAMESPACES: ["agents-demo","agents-staging"]'],
    }.items(),
)
def test_wide_columns_tell_the_details(kubectl: Kubectl, kind: str, columns: list[str]) -> None:
    """`-o wide` adds what is too long for every day."""
    assert table(kubectl, kind, "full", "--output=wide")[-len(columns) :] == columns


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("agent", "agt"),
        ("agentcredential", "agcred"),
        ("organization", "idporg"),
        ("pendingchange", "pendchg"),
        ("tokenrevocation", "tokrev"),
    ],
)
def test_every_kind_answers_to_its_names(kubectl: Kubectl, name: str, short: str) -> None:
    """Plural, singular and short."""
    answers = {kubectl("get", called, "--output=name").stdout for called in (name, f"{name}s", short)}
    (answer,) = answers
    assert answer.startswith(f"{name}.{GROUP}/")


def test_one_category_shows_everything(kubectl: Kubectl) -> None:
    """`kubectl get agentidp` lists the resources of all kinds but PendingChange, which no role of the chart gives."""
    listed = kubectl("get", "agentidp", "--output=name").stdout.split()
    names = [crd["spec"]["names"]["singular"] for kind, crd in crds().items() if kind != "PendingChange"]
    assert {name.partition("/")[0] for name in listed} == {f"{name}.{GROUP}" for name in names}


@pytest.mark.parametrize("kind", crds())
def test_selectable_fields_select(api_server: ApiServer, kubectl: Kubectl, kind: str) -> None:
    """Each of them finds the resource that has its value, and not those that have another."""
    for path in (field["jsonPath"].lstrip(".") for field in crds()[kind]["spec"]["versions"][0]["selectableFields"]):
        resource = next(resource for resource in full_manifests() if resource["kind"] == kind and value(resource, path))
        name, wanted = resource["metadata"]["name"], value(resource, path)
        assert name in names_of(api_server.select(kind, f"{path}={wanted}"))
        assert name not in names_of(api_server.select(kind, f"{path}!={wanted}"))


def test_kubectl_selects_by_field(kubectl: Kubectl) -> None:
    """The credentials of an agent in a phase, without labels."""
    found = kubectl("get", "agcred", "--field-selector=spec.agentRef.name=screener,status.phase=Active", "--output=name")
    assert found.stdout.split() == [f"agentcredential.{GROUP}/full"]


def value(resource: Manifest, path: str) -> Any:
    """What a resource has at a path, if anything."""
    return reduce(lambda part, step: part.get(step, {}), path.split("."), resource)


def names_of(resources: list[Manifest]) -> set[str]:
    """The names of resources."""
    return {resource["metadata"]["name"] for resource in resources}


@pytest.mark.parametrize("kind", crds())
def test_every_field_is_explained(api_server: ApiServer, kind: str) -> None:
    """What `kubectl explain` reads has the description of every field."""
    published = {field.path: field.schema.get("description") for field in fields(api_server.published_schema(kind))}
    declared = {field.path: field.schema.get("description") for field in fields(schema_of(crds()[kind]))}
    assert {path: published[path] for path in declared} == declared


def test_kubectl_explains(kubectl: Kubectl) -> None:
    """What is published reaches the person who asks."""
    explained = kubectl("explain", "agentcredential.spec.rotation.requestedAt").stdout
    assert "Rotate once if this time is later than status.rotatedAt." in explained


def test_kubectl_waits_for_ready(kubectl: Kubectl) -> None:
    """The conditions have the shape that `kubectl wait` knows."""
    kubectl("wait", "--for=condition=Ready", "--timeout=5s", "agentcredential/full")
    kubectl("wait", "--for=condition=Ready=false", "--timeout=5s", "agent/full")


@pytest.mark.parametrize("kind", ["Agent", "AgentCredential", "Organization"])
def test_what_the_operator_has_not_seen_is_not_up_to_date(kind: str, objects: Objects, tenant: Tenant) -> None:
    """Flux's `wait` needs no more (docs/guides/gitops.md). Its library, kstatus, takes an object without a status for current.

    Of one whose `status.observedGeneration` is not its generation it says that it is in progress.
    """
    namespace = "" if kind == "Organization" else tenant.namespace
    name = objects.create(a_resource(kind), namespace)["metadata"]["name"]
    stored = objects.get(kind, name, namespace)
    objects.remove(kind, name, namespace)
    assert stored["status"] == {"observedGeneration": -1}
    assert stored["metadata"]["generation"] > 0


@pytest.mark.parametrize(
    "sentence",
    [
        "both a Secret and a hash",
        "an agent id in upper case",
        "an organization with a dot in its name",
        "a rotation every 59 s",
    ],
)
def test_kubectl_apply_tells_what_is_wrong(kubectl: Kubectl, sentence: str) -> None:
    """A person sees the field and what to do about it."""
    resource, message = REFUSED[sentence]
    with pytest.raises(KubectlError) as refusal:
        kubectl("apply", "--filename=-", input=json.dumps(resource))
    assert message in refusal.value.stderr


def test_kubectl_apply_refuses_a_misspelt_field(kubectl: Kubectl) -> None:
    """A typo does not silently do nothing."""
    with pytest.raises(KubectlError) as refusal:
        kubectl("apply", "--filename=-", input=json.dumps(a_credential(expireAt="2027-01-01T00:00:00Z")))
    assert 'unknown field "spec.expireAt"' in refusal.value.stderr
