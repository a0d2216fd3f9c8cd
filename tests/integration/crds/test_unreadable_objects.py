"""Objects that a program cannot read, as another version's CRD might admit them: they harm nobody but themselves."""

import copy
import json
from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, PROGRAMS, Programs
from tests.support.crd_schema import Manifest, crds, schema_of
from tests.support.manifests import a_resource
from tests.support.objects import Objects, path_of
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_refused, is_served

STRANGE_TYPE = "Translator"


@pytest.fixture(scope="module")
def programs(all_programs: Programs) -> Programs:
    """All of them."""
    return all_programs


@pytest.fixture(scope="module", autouse=True)
def strange(cluster: ControlPlane, programs: Programs, objects: Objects) -> Iterator[Tenant]:
    """A tenant with an agent of a type that these programs do not know, and its credential."""
    tenant = Tenant.new(objects)
    apply(cluster, with_one_more_type(crds()["Agent"]))
    agent = a_resource("Agent", {"type": STRANGE_TYPE}, NAME)
    eventually("it is taken", lambda: objects.ask("POST", path_of("Agent", tenant.namespace), json=agent).is_success)
    tenant.create("AgentCredential")
    yield tenant
    tenant.remove("Agent")
    apply(cluster, crds()["Agent"])


def test_others_are_served(tenant: Tenant) -> None:
    """Those that come after it."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))


def test_what_was_served_is_refused_when_it_cannot_be_read_any_more(tenant: Tenant) -> None:
    """It may have been suspended in the same breath; and when it can be read again, it is served as before."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    tenant.change("Agent", type=STRANGE_TYPE)
    eventually("it is refused", lambda: is_refused(pair))
    tenant.change("Agent", type="Screener")
    eventually("it is served again", lambda: is_served(pair))


def test_what_cannot_be_read_any_more_can_be_deleted(tenant: Tenant) -> None:
    """To know that it is gone, nobody has to understand what it was."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    tenant.change("Agent", type=STRANGE_TYPE)
    tenant.remove("Agent")
    eventually("it is refused", lambda: is_refused(pair))


def test_a_restart_goes_past_it(tenant: Tenant, programs: Programs) -> None:
    """All programs list it, leave it out, and start."""
    for program in PROGRAMS:
        programs.restart(program.name)
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))


def test_its_credential_says_that_there_is_no_agent(strange: Tenant, programs: Programs) -> None:
    """And the operator's log names what could not be read."""
    strange.until("AgentCredential", "AgentNotFound")
    assert STRANGE_TYPE in programs.log(OPERATOR.name).read_text()


def with_one_more_type(crd: Manifest) -> Manifest:
    """As a later version may have it."""
    changed = copy.deepcopy(crd)
    schema_of(changed)["properties"]["spec"]["properties"]["type"]["enum"].append(STRANGE_TYPE)
    return changed


def apply(cluster: ControlPlane, crd: Manifest) -> None:
    """Install this CRD in place of the one of its name."""
    cluster.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(crd))
