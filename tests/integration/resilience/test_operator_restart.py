"""The operator is away while things change: what is declared to end ends at once; when it is back it does what is due."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest

from devcluster.programs import OPERATOR, Programs
from tests.support.objects import Objects
from tests.support.operator_metrics import has_looked_at
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_refused, is_served

Act = Callable[[Tenant], object]


class Change(NamedTuple):
    """Something that a person declares while the operator is away, and the reason that the credential's status gives then."""

    make: Act
    reason: str
    ends: bool = False


CHANGES = {
    "a credential is declared": Change(lambda tenant: tenant.create("AgentCredential", "second"), "Issued"),
    "a credential is revoked": Change(
        lambda tenant: tenant.change("AgentCredential", state="Revoked"), "CredentialRevoked", ends=True
    ),
    "a credential expires": Change(
        lambda tenant: tenant.change("AgentCredential", expiresAt=in_time(seconds=1)), "CredentialExpired", ends=True
    ),
    "an agent is suspended": Change(lambda tenant: tenant.change("Agent", state="Suspended"), "AgentSuspended", ends=True),
    "an agent is decommissioned": Change(
        lambda tenant: tenant.change("Agent", state="Decommissioned"), "AgentDecommissioned", ends=True
    ),
    "an agent is deleted": Change(lambda tenant: tenant.remove("Agent"), "AgentNotFound", ends=True),
    "a rotation is requested": Change(
        lambda tenant: tenant.change("AgentCredential", rotation={"requestedAt": in_time()}), "Issued"
    ),
    "a Secret is removed": Change(lambda tenant: tenant.remove("Secret"), "Issued"),
}
ENDS = [name for name, change in CHANGES.items() if change.ends]
NEW_VALUE = ["a rotation is requested", "a Secret is removed"]


class Case(NamedTuple):
    """A tenant with a credential, and its pair before the change."""

    tenant: Tenant
    pair: Pair


class Story(NamedTuple):
    """A case for each change, others that nobody touched, and the resource versions of those before."""

    cases: dict[str, Case]
    untouched: list[Tenant]
    versions: list[list[str]]


@pytest.fixture(scope="module")
def away(programs: Programs, objects: Objects) -> Story:
    """The operator is stopped, and then everything changes."""
    cases = dict(zip(CHANGES, settled(objects, len(CHANGES)), strict=True))
    untouched = [case.tenant for case in settled(objects, 5)]
    programs.stop(OPERATOR.name)
    for name, case in cases.items():
        CHANGES[name].make(case.tenant)
    return Story(cases, untouched, [versions(tenant) for tenant in untouched])


@pytest.fixture(scope="module")
def back(away: Story, programs: Programs) -> Story:
    """The operator is started again."""
    programs.start(OPERATOR.name)
    return away


@pytest.mark.parametrize("name", ENDS)
def test_what_is_declared_to_end_ends_without_the_operator(name: str, away: Story) -> None:
    """The token service sees it in the specs."""
    eventually("it is refused", lambda: is_refused(away.cases[name].pair))


def test_what_goes_on_is_served_without_the_operator(away: Story) -> None:
    """Also where a rotation is wanted that nobody does, or the Secret is gone."""
    for name in set(CHANGES) - set(ENDS):
        assert is_served(away.cases[name].pair)


@pytest.mark.parametrize("name", CHANGES)
def test_an_operator_that_is_back_does_what_is_due(name: str, back: Story) -> None:
    """Each change is seen, although nobody saw it happen."""
    tenant, credential = back.cases[name].tenant, "second" if "declared" in name else NAME
    tenant.until("AgentCredential", CHANGES[name].reason, credential)


@pytest.mark.parametrize("name", NEW_VALUE)
def test_a_new_value_is_delivered_and_works(name: str, back: Story) -> None:
    """Under the same client id, and the old one stops."""
    tenant, before = back.cases[name]
    after = tenant.another_pair(before)
    assert after.client_id == before.client_id
    eventually("it is served", lambda: is_served(after))
    eventually("the old one is refused", lambda: is_refused(before))


def test_what_was_right_is_not_written_again(back: Story, programs: Programs) -> None:
    """Neither objects nor Secrets: their versions are what they were."""
    eventually("it has looked at all", lambda: has_looked_at(programs, len(back.cases) + len(back.untouched)))
    assert [versions(tenant) for tenant in back.untouched] == back.versions


def test_three_restarts_write_nothing(programs: Programs, objects: Objects) -> None:
    """Where all is settled, whatever was declared."""
    spec: Any = {"rotation": {"every": "720h", "overlap": "1h"}, "expiresAt": in_time(hours=1)}
    tenants = [case.tenant for case in settled(objects, 3, **spec)]
    before = [versions(tenant) for tenant in tenants]
    for _ in range(3):
        programs.restart(OPERATOR.name)
        eventually("it has looked at all", lambda: has_looked_at(programs, len(tenants)))
    assert [versions(tenant) for tenant in tenants] == before


def settled(objects: Objects, count: int, **spec: Any) -> list[Case]:
    """So many, where nothing is left to be written: the count in the agent's status comes last."""
    tenants = [Tenant.new(objects) for _ in range(count)]
    for tenant in tenants:
        tenant.create("Agent")
        tenant.create("AgentCredential", **spec)
    for tenant in tenants:
        tenant.until("AgentCredential", "Issued")
        eventually("the credential is counted", partial(is_counted, tenant))
    return [Case(tenant, tenant.pair()) for tenant in tenants]


def is_counted(tenant: Tenant) -> bool:
    """Whether the agent's status knows of its credential."""
    return bool(tenant.get("Agent")["status"].get("credentials", {}).get("active"))


def versions(tenant: Tenant) -> list[str]:
    """Of all that the operator writes."""
    return [tenant.version(kind) for kind in ("Agent", "AgentCredential", "Secret")]


def in_time(**after: float) -> str:
    """Now, or so much later, as manifests write it."""
    return (datetime.now(UTC) + timedelta(**after)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
