"""The operator is killed with `kill -9` again and again while it rotates: nobody who asks for a token notices.

Unit tests crash a model after each single write. Here the real operator dies at random moments, on the real API server, and
every version of every object that was ever stored is looked at.
"""

import json
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR, Programs
from tests.support.clients import Clients, Tally
from tests.support.histories import History, Moment, values
from tests.support.objects import Objects
from tests.support.operator_metrics import has_looked_at, leads
from tests.support.rotations import is_first_write, request_rotations, until_rotated
from tests.support.tenants import Tenant, told
from tests.support.waiting import eventually

EACH = 4  # with the first one, these are all the secrets that a credential may have at the same time
NAMES = [f"client-{number:02}" for number in range(50)]
ROTATIONS, KILLS = EACH * len(NAMES), 10
AT_ONCE = ROTATIONS // KILLS
LONGER_THAN_THIS_TEST = "1h"
SOON_SECONDS = 1.0

Tell = Callable[[str], None]


class Lives(NamedTuple):
    """What has become of each credential, and of those who asked for tokens meanwhile."""

    histories: dict[str, list[Moment]]
    tally: Tally

    @property
    def moments(self) -> list[Moment]:
        """All."""
        return [moment for history in self.histories.values() for moment in history]


@pytest.fixture(scope="module")
def tenant(objects: Objects, programs: Programs) -> Tenant:
    """With credentials that rotate with an overlap, each of which was issued."""
    tenant = Tenant.new(objects)
    tenant.create("Agent")
    for name in NAMES:
        tenant.create("AgentCredential", name, rotation={"overlap": LONGER_THAN_THIS_TEST})
    for name in NAMES:
        tenant.until("AgentCredential", "Issued", name)
    return tenant


@pytest.fixture(scope="module")
def lives(tenant: Tenant, programs: Programs, cluster: ControlPlane) -> Lives:
    """The rotations are requested, some while the operator is dead, and all of them are done."""
    namespace = tenant.namespace
    with History(cluster.kubeconfig, namespace) as history, Clients(cluster.kubeconfig, namespace, NAMES) as clients:
        for turn in range(KILLS):
            eventually("the operator leads", lambda: leads(programs))
            while_it_works, while_it_is_dead = batch(turn)
            until_rotated(tenant, *while_it_works, *while_it_is_dead)
            request_rotations(tenant, *while_it_works)
            await_moment(turn, history)
            programs.kill(OPERATOR.name)
            request_rotations(tenant, *while_it_is_dead)
            if turn:  # after the first kill the lease runs out; later, most of the time would go into waiting for that
                tenant.objects.remove("Lease", OPERATOR.name, NAMESPACE)
            programs.start(OPERATOR.name)
        until_rotated(tenant, *NAMES)
    return Lives({name: history.of(name) for name in NAMES}, clients.tally)


def test_no_client_is_refused(lives: Lives, tell: Tell) -> None:
    """Neither one that knows only its first secret, nor one that reads its Secret each time."""
    tally = lives.tally
    tell(
        f"{ROTATIONS} rotations, operator killed {KILLS} times, {len(never_delivered(lives))} values died with it;"
        f" {tally.refused_from_memory} of {tally.asked_from_memory} requests refused with a remembered secret,"
        f" {tally.refused_after_reading} of {tally.asked_after_reading} with one just read"
    )
    assert (tally.refused_from_memory, tally.refused_after_reading) == (0, 0)
    assert tally.asked_from_memory > ROTATIONS
    assert tally.asked_after_reading > ROTATIONS


def test_each_rotation_is_done_once(lives: Lives) -> None:
    """No value is delivered beside those that were asked for, and none a second time."""
    for history in lives.histories.values():
        delivered = values(history)
        assert len(delivered) == 1 + EACH
        assert len(set(delivered)) == len(delivered)


def test_what_is_delivered_is_accepted(lives: Lives) -> None:
    """In every version that was ever stored."""
    assert all(moment.held and "notAfter" not in moment.held for moment in lives.moments)


def test_a_secret_in_overlap_is_accepted_to_its_end(lives: Lives) -> None:
    """A dead operator's unfinished rotation takes nobody's place."""
    for history in lives.histories.values():
        (*_, last) = history
        held = [moment.held["hash"] for moment in history if moment.held]
        assert set(held) <= {one["hash"] for one in last.hashes}


def test_there_are_never_more_than_five_hashes(lives: Lives) -> None:
    """However often the operator died with one on its way."""
    assert max(len(moment.hashes) for moment in lives.moments) <= 5


def test_no_status_ever_holds_a_value(lives: Lives) -> None:
    """Nor does anything else in a credential."""
    for history in lives.histories.values():
        credentials = json.dumps([moment.credential for moment in history])
        assert not any(value.decode() in credentials for value in values(history))


def test_everything_comes_to_rest(lives: Lives, tenant: Tenant, programs: Programs) -> None:
    """Each credential says that it works, and one more start of the operator writes nothing."""
    eventually("it has looked at all", lambda: has_looked_at(programs, 1))
    assert [told(tenant.get("AgentCredential", name)) for name in NAMES] == ["Issued"] * len(NAMES)
    before = versions(tenant)
    programs.restart(OPERATOR.name)
    eventually("it has looked at all", lambda: has_looked_at(programs, len(NAMES)))
    assert versions(tenant) == before


def batch(turn: int) -> tuple[list[str], list[str]]:
    """Those that are rotated in this turn, in an order that nobody knows: while the operator works, and while it is dead."""
    chosen = random.sample((NAMES + NAMES)[turn * AT_ONCE % len(NAMES) :][:AT_ONCE], AT_ONCE)
    return chosen[5:], chosen[:5]


def await_moment(turn: int, history: History) -> None:
    """In one turn any, in the next one between the first write of a rotation and the second."""
    if turn % 2:
        time.sleep(random.uniform(0, SOON_SECONDS))  # noqa: S311 any will do
    else:
        history.next_change(is_first_write, SOON_SECONDS)


def never_delivered(lives: Lives) -> set[str]:
    """The hashes of values that died with the operator."""
    published = {one["hash"] for moment in lives.moments for one in moment.hashes}
    return published - {moment.held["hash"] for moment in lives.moments if moment.held}


def versions(tenant: Tenant) -> list[str]:
    """Of all credentials and Secrets."""
    kinds = ("AgentCredential", "Secret")
    return [one["metadata"]["resourceVersion"] for kind in kinds for one in tenant.objects.list(kind, tenant.namespace)]
