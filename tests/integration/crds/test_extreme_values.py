"""What a tenant may write at the limits of what is admitted: times, durations, and the annotations that programs read.

Whoever does that harms nobody but themselves: no program ends, and other tenants are served.
"""

from collections.abc import Iterator

import pytest

from devcluster.programs import PROGRAMS, Programs
from tests.support.crd_schema import Manifest
from tests.support.management import Api, access_token, an_agent, as_agent, pair_of
from tests.support.manifests import BCRYPT, a_resource
from tests.support.objects import Objects, path_of
from tests.support.tenants import Tenant
from tests.support.workload import is_served

US = "idp.sentryagent.ai"
FIRST, LAST = "1000-01-01T00:00:00+23:59", "2999-12-31T23:59:59.999999-23:59"
BEFORE, BEYOND = "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"
DEEP = "[" * 120_000
MARK = '{"what":"Generate","requestId":"x","since":"9999-12-31T23:59:59Z","hash":"x"}'
OLD_MARK = MARK.replace("9999", "2020").replace('"hash":"x"', f'"hash":"{BCRYPT}"')

ANNOTATIONS: dict[str, dict[str, str]] = {
    "mark-of-the-end": {"unconfirmed": MARK},
    "mark-beyond-the-end": {"unconfirmed": MARK.replace("Z", "-23:59")},
    "mark-before-the-beginning": {"unconfirmed": MARK.replace("9999-12-31T23:59:59Z", BEFORE)},
    "mark-that-is-deep": {"unconfirmed": DEEP},
    "mark-with-a-deep-part": {"unconfirmed": f'{MARK[:-1]},"previous":{DEEP}'},
    "changed-beyond-the-end": {"changed-at": BEYOND},
    "changed-before-the-beginning": {"changed-at": BEFORE},
}
SPECS: dict[str, Manifest] = {
    "expires-first": {"expiresAt": FIRST},
    "expires-last": {"expiresAt": LAST},
    "rotates-first": {"rotation": {"requestedAt": FIRST, "every": "1m", "overlap": "59s"}},
    "rotates-last": {"rotation": {"requestedAt": LAST, "every": "8760h", "overlap": "720h"}},
    "retires-last": {"rotation": {"overlap": "720h", "retire": "WhenUnused", "maxOverlap": "8760h"}},
    "provided-and-expires-last": {"expiresAt": LAST, "secretHash": {"hash": BCRYPT}},
}
MANAGED_AT = ["0000-01-01T00:00:00Z", BEFORE, "9999-12-31T23:59:59Z", BEYOND]
ONCE = "mark-that-was-once-acted-on"
SETTLED = {"expires-first": "CredentialExpired", "provided-and-expires-last": "Provided", ONCE: "Provided"}


@pytest.fixture(scope="module")
def programs(all_programs: Programs) -> Programs:
    """All of them."""
    return all_programs


@pytest.fixture(scope="module")
def strange(programs: Programs, objects: Objects) -> Tenant:
    """A tenant that has written all of it."""
    tenant = Tenant.new(objects)
    for number, time in enumerate(MANAGED_AT):
        create(tenant, "Agent", f"agent-{number}", {"tokensValidAfter": (FIRST, LAST)[number % 2]}, managed_at(time))
    for name, written in ANNOTATIONS.items():
        create(tenant, "AgentCredential", name, {}, annotated(written))
    for name, spec in SPECS.items():
        create(tenant, "AgentCredential", name, spec, {})
    create(tenant, "AgentCredential", ONCE, {"secretHash": {"hash": BCRYPT}}, annotated({"unconfirmed": OLD_MARK}))
    return tenant


@pytest.fixture
def api(strange: Tenant, programs: Programs) -> Iterator[Api]:
    """As an agent of that tenant."""
    with as_agent(programs, access_token(strange)) as api:
        yield api


def test_they_are_objects_like_others(strange: Tenant, api: Api) -> None:
    """Each is brought to rest, and listed where it was ever accepted."""
    for name in (*ANNOTATIONS, *SPECS, ONCE):
        strange.until("AgentCredential", SETTLED.get(name, "Issued"), name)
    agents = {one["agentId"] for one in api.ask("GET", "/agents").raise_for_status().json()["data"]}
    ids = [strange.get("Agent", f"agent-{number}")["status"]["agentId"] for number in range(len(MANAGED_AT))]
    assert agents >= set(ids)
    listed = {one["credentialId"] for one in api.credentials(ids[0], limit=100).raise_for_status().json()["data"]}
    accepted = ANNOTATIONS.keys() | SPECS.keys() - {"expires-first"}
    assert listed >= {strange.get("AgentCredential", name)["metadata"]["uid"] for name in accepted}


@pytest.mark.usefixtures("strange")
def test_others_are_served(programs: Programs, objects: Objects) -> None:
    """Also by programs that start anew."""
    for program in PROGRAMS:
        programs.restart(program.name)
    other = Tenant.new(objects)
    with as_agent(programs, access_token(other)) as api:
        assert is_served(pair_of(api.generate(an_agent(other)), programs))
    assert programs.ended() == []


def annotated(written: dict[str, str]) -> Manifest:
    """Metadata with these annotations of ours."""
    return {"annotations": {f"{US}/{key}": value for key, value in written.items()}}


def managed_at(time: str) -> Manifest:
    """Metadata that say that somebody wrote a part of the object at this time."""
    part = {"f:metadata": {"f:annotations": {"f:of": {"f:of": {}}}}}
    entry = {"manager": "evil", "operation": "Update", "apiVersion": f"{US}/v1alpha1", "fieldsType": "FieldsV1"}
    return {"annotations": {"of": "evil"}, "managedFields": [entry | {"time": time, "fieldsV1": part}]}


def create(tenant: Tenant, kind: str, name: str, spec: Manifest, metadata: Manifest) -> None:
    """An Agent, or a credential of the first one."""
    manifest = a_resource(kind, spec if kind == "Agent" else {"agentRef": {"name": "agent-0"}, **spec}, name)
    manifest["metadata"] |= metadata
    answer = tenant.objects.ask("POST", path_of(kind, tenant.namespace), json=manifest)
    assert answer.is_success, answer.text[:500]
