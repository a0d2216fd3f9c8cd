"""Objects with a `metadata.managedFields` deeper than decoders go, which anybody who may write an object may give it."""

import json
from collections.abc import Iterator

import pytest

from devcluster.programs import PROGRAMS, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import a_resource
from tests.support.objects import path_of
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_served

DEPTHS = [600, 5_000]
"""Deeper than Kopf copies objects, and than Python decodes them."""
KINDS = ("Agent", "AgentCredential", "Secret")


@pytest.fixture(scope="module")
def programs(all_programs: Programs) -> Programs:
    """All of them."""
    return all_programs


@pytest.fixture(params=DEPTHS)
def deep(request: pytest.FixtureRequest, tenant: Tenant) -> Iterator[Tenant]:
    """A tenant all of whose objects are like this."""
    for kind in KINDS:
        body = as_text(manifest_of(kind), request.param)
        answer = tenant.objects.ask(
            "POST", path_of(kind, tenant.namespace), content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.is_success, answer.text[:500]
    yield tenant
    for kind in reversed(KINDS):
        tenant.remove(kind)  # other tests read what there is, and they do not go so deep


def test_they_are_objects_like_others(deep: Tenant, programs: Programs) -> None:
    """And all programs go on, also when they start anew."""
    eventually("its pair is delivered", lambda: deep.find("Secret", "pair"))
    eventually("it is served", lambda: is_served(deep.pair("pair")))
    for program in PROGRAMS:
        programs.restart(program.name)
    other = Tenant.new(deep.objects).issue()
    eventually("another tenant is served", lambda: is_served(other))
    assert is_served(deep.pair("pair"))


def manifest_of(kind: str) -> Manifest:
    """The smallest valid one, which shows that it has a deep field of its own."""
    if kind == "Secret":
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": NAME}, "type": "idp.sentryagent.ai/credential"}
    return a_resource(kind, {"secret": {"name": "pair"}} if kind == "AgentCredential" else {}, NAME)


def as_text(manifest: Manifest, depth: int) -> str:
    """As JSON, with the deep field; Python's own encoder does not go so deep either."""
    metadata = manifest["metadata"] | {"annotations": {"of": "evil"}, "managedFields": ["HERE"]}
    owned = '{"f:metadata":{"f:annotations":' + '{"f:of":' * depth + "{}" + "}" * (depth + 2)
    entry = {"manager": "evil", "operation": "Update", "apiVersion": manifest["apiVersion"], "fieldsType": "FieldsV1"}
    fields = json.dumps(entry | {"time": "2026-01-01T00:00:00Z"})[:-1] + f', "fieldsV1": {owned}}}'
    return json.dumps(manifest | {"metadata": metadata}).replace('"HERE"', fields)
