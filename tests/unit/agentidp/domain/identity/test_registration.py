"""What becomes of an agent: its id, which is nobody else's, and whether it may get tokens."""

from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.identity.registration import AgentInput, claimed_id, organization_verdict, register
from agentidp.domain.resources import Agent, AgentPhase, AgentState, AgentStatus, CredentialCount
from agentidp.domain.resources.conditions import READY, SCOPES_ALLOWED, condition, is_ready
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    HOUR,
    NAMESPACE,
    NOW,
    a_registered_agent,
    a_suspended_agent,
    a_uid,
    an_agent,
    an_organization,
)

SHARED = a_uid(5)


def a_claimant(number: int, *, holds: str | None = None, lost: bool = False, **agent: object) -> Agent:
    """An agent that claims the shared id; uid and name tell its number."""
    one = an_agent(f"agent-{number}", uid=a_uid(number), agent_id=SHARED, **agent)  # type: ignore[arg-type]
    if lost:
        return replace(one, status=register(AgentInput(one, (a_claimant(999, holds=SHARED),)), NOW))
    return replace(one, status=AgentStatus(agent_id=holds))


def told(status: AgentStatus) -> tuple[str | None, AgentPhase | None, str | None]:
    """What the tables compare: id, phase, reason."""
    ready = condition(status.conditions, READY)
    return status.agent_id, status.phase, ready.reason if ready else None


REGISTERED = (AgentPhase.ACTIVE, "Registered")
CONFLICT = (None, AgentPhase.PENDING, "AgentIdConflict")

IDS: dict[str, tuple[AgentInput, tuple[object, ...]]] = {
    "an agent's id is its uid": (AgentInput(an_agent(uid=a_uid(1))), (a_uid(1), *REGISTERED)),
    "unless it is declared with another": (AgentInput(a_claimant(1)), (SHARED, *REGISTERED)),
    "an id that was given stays": (
        AgentInput(a_registered_agent(SHARED, uid=a_uid(1))),
        (SHARED, *REGISTERED),
    ),
    "an id that somebody has is not given again, not even to an older agent": (
        AgentInput(a_claimant(1, age=2 * DAY), (a_claimant(2, holds=SHARED),)),
        CONFLICT,
    ),
    "whoever has the id keeps it when an older agent claims it": (
        AgentInput(a_claimant(2, holds=SHARED), (a_claimant(1, age=2 * DAY),)),
        (SHARED, *REGISTERED),
    ),
    "of two that claim a free id the older gets it": (
        AgentInput(a_claimant(2, age=2 * DAY), (a_claimant(1),)),
        (SHARED, *REGISTERED),
    ),
    "and the younger does not": (AgentInput(a_claimant(1), (a_claimant(2, age=2 * DAY),)), CONFLICT),
    "of two that are equally old the one with the lower uid gets it": (
        AgentInput(a_claimant(1), (a_claimant(2),)),
        (SHARED, *REGISTERED),
    ),
    "an agent's own uid is its own, however old the other is": (
        AgentInput(an_agent(uid=SHARED), (a_claimant(1, age=2 * DAY),)),
        (SHARED, *REGISTERED),
    ),
    "nobody gets the uid of another agent by declaring it": (
        AgentInput(a_claimant(1, age=2 * DAY), (an_agent(uid=SHARED),)),
        CONFLICT,
    ),
    "a loser does not inherit the id": (AgentInput(a_claimant(1, lost=True)), CONFLICT),
    "and does not stand in the way of another": (
        AgentInput(a_claimant(2), (a_claimant(1, lost=True, age=2 * DAY),)),
        (SHARED, *REGISTERED),
    ),
    "of two that were given one id at the same moment the younger gives it back": (
        AgentInput(a_claimant(2, holds=SHARED), (a_claimant(1, holds=SHARED, age=2 * DAY),)),
        CONFLICT,
    ),
    "and the older keeps it": (
        AgentInput(a_claimant(1, holds=SHARED, age=2 * DAY), (a_claimant(2, holds=SHARED),)),
        (SHARED, *REGISTERED),
    ),
}


@pytest.mark.parametrize(("seen", "expected"), IDS.values(), ids=IDS)
def test_register_gives_ids(seen: AgentInput, expected: tuple[object, ...]) -> None:
    """An id is given once, and to one agent."""
    assert told(register(seen, NOW)) == expected


def in_an_organization(agent: Agent) -> Agent:
    """The agent as one that claims to belong to acme."""
    return replace(agent, spec=replace(agent.spec, organization_id="acme"))


MEMBER = in_an_organization(an_agent())

PHASES: dict[str, tuple[AgentInput, tuple[AgentPhase, str]]] = {
    "an active agent": (AgentInput(an_agent()), REGISTERED),
    "a suspended agent": (
        AgentInput(an_agent(state=AgentState.SUSPENDED)),
        (AgentPhase.SUSPENDED, "AgentSuspended"),
    ),
    "a decommissioned agent": (
        AgentInput(an_agent(state=AgentState.DECOMMISSIONED)),
        (AgentPhase.DECOMMISSIONED, "AgentDecommissioned"),
    ),
    "an agent that is active again": (
        AgentInput(replace(a_suspended_agent(), spec=an_agent().spec)),
        REGISTERED,
    ),
    "an organization that does not exist": (AgentInput(MEMBER), (AgentPhase.PENDING, "OrganizationNotFound")),
    "an organization that admits others": (
        AgentInput(MEMBER, organization=an_organization(admits=("sales",))),
        (AgentPhase.PENDING, "OrganizationNotAdmitted"),
    ),
    "an organization that is full": (
        AgentInput(MEMBER, organization=an_organization(), organization_full=True),
        (AgentPhase.PENDING, "OrganizationLimitReached"),
    ),
    "an organization that admits the namespace": (AgentInput(MEMBER, organization=an_organization()), REGISTERED),
    "suspended comes before the organization": (
        AgentInput(in_an_organization(an_agent(state=AgentState.SUSPENDED))),
        (AgentPhase.SUSPENDED, "AgentSuspended"),
    ),
    "a conflict comes before everything": (
        AgentInput(a_claimant(1, state=AgentState.DECOMMISSIONED), (a_claimant(2, holds=SHARED),)),
        (AgentPhase.PENDING, "AgentIdConflict"),
    ),
}


@pytest.mark.parametrize(("seen", "expected"), PHASES.values(), ids=PHASES)
def test_register_gives_phases(seen: AgentInput, expected: tuple[AgentPhase, str]) -> None:
    """Only an agent that is registered is ready."""
    status = register(seen, NOW)
    assert told(status)[1:] == expected
    assert is_ready(status.conditions) is (expected == REGISTERED)
    assert register(replace(seen, agent=replace(seen.agent, status=status)), NOW + HOUR) == status


def test_register_gives_an_id_also_before_it_may_be_used() -> None:
    """It is theirs from the first moment, whenever they become ready."""
    assert register(AgentInput(MEMBER), NOW).agent_id == AGENT_ID


def test_register_keeps_a_place_in_an_organization_while_suspended() -> None:
    """Nobody gets one by being suspended when it would be looked at."""
    admitted = register(AgentInput(MEMBER, organization=an_organization()), NOW)
    assert admitted.organization_id == "acme"
    kept = {
        AgentState.SUSPENDED: "acme",
        AgentState.DECOMMISSIONED: None,
    }
    for state, expected in kept.items():
        later = replace(MEMBER, spec=replace(MEMBER.spec, state=state), status=admitted)
        assert register(AgentInput(later, organization=an_organization()), NOW).organization_id == expected
        unseen = replace(later, status=AgentStatus())
        assert register(AgentInput(unseen, organization=an_organization()), NOW).organization_id is None


def test_register_records_credentials_and_generation() -> None:
    """They are what `kubectl get` shows."""
    agent = replace(an_agent(), metadata=replace(an_agent().metadata, generation=4))
    status = register(AgentInput(agent, credentials=CredentialCount(active=1, total=2)), NOW)
    assert (status.credentials, status.observed_generation) == (CredentialCount(active=1, total=2), 4)


def test_register_needs_no_organization() -> None:
    """Whatever organization there is."""
    verdict = organization_verdict(an_agent(), an_organization(admits=("sales",)))
    assert (verdict.phase, verdict.reason) == (AgentPhase.ACTIVE, Reason.REGISTERED)


def test_register_messages_say_what_to_do() -> None:
    """They name the organization, the namespace, and the field."""
    verdict = organization_verdict(MEMBER, an_organization(admits=("sales",)))
    assert (verdict.phase, verdict.reason) == (AgentPhase.PENDING, Reason.ORGANIZATION_NOT_ADMITTED)
    assert verdict.message.startswith(f"Organization 'acme' does not admit namespace {NAMESPACE!r}. Ask ")
    assert "spec.namespaces" in verdict.message


class Registry:
    """Agents that come, are looked at, and go, in any order; some are looked at before the last look was written down."""

    def __init__(self) -> None:
        self.agents: dict[int, Agent] = {}
        self.decided: dict[int, Agent] = {}
        self.made = 0

    def declare(self, name: int, claims: str | None) -> None:
        """A new object, also where there was one of this name. All are made in one second; the later has the lower uid."""
        self.made += 1
        self.agents[name] = an_agent(f"agent-{name}", uid=a_uid(50 - self.made), agent_id=claims)
        self.decided.pop(name, None)

    def delete(self, name: int) -> None:
        """Gone."""
        self.agents.pop(name, None)
        self.decided.pop(name, None)

    def look(self, name: int) -> None:
        """Decide, from what is there now."""
        if agent := self.agents.get(name):
            others = (one for other, one in self.agents.items() if other != name)
            rivals = tuple(one for one in others if claimed_id(one) == claimed_id(agent))
            self.decided[name] = replace(agent, status=register(AgentInput(agent, rivals), NOW))

    def write(self, name: int) -> None:
        """Record what was decided."""
        if agent := self.decided.pop(name, None):
            self.agents[name] = agent

    def reconcile(self, name: int) -> None:
        """Both at once."""
        self.look(name)
        self.write(name)

    def settle(self) -> None:
        """Everyone is looked at until nobody changes."""
        before = None
        while before != self.agents:
            before = dict(self.agents)
            for name in list(self.agents):
                self.reconcile(name)

    @property
    def losers(self) -> set[str]:
        """Who lost an id."""
        return {one.metadata.uid for one in self.agents.values() if told(one.status)[2] == "AgentIdConflict"}


def ids(agents: Iterable[Agent]) -> list[str]:
    """All that were given."""
    return [one.status.agent_id for one in agents if one.status.agent_id]


CLAIMS = st.sampled_from([None, SHARED, a_uid(47), a_uid(48), a_uid(49)])
NAMES = st.integers(1, 4)
DECLARES, DELETES = st.tuples(st.just("declare"), NAMES, CLAIMS), st.tuples(st.just("delete"), NAMES)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(DECLARES, DELETES, st.tuples(st.just("reconcile"), NAMES)), max_size=30))
def test_register_never_gives_one_id_to_two_agents(events: list[tuple[str, int]]) -> None:
    """Whatever the order of declarations, deletions, re-creations and looks; and who has lost has lost."""
    registry = Registry()
    lost: set[str] = set()
    for event, *arguments in events:
        getattr(registry, event)(*arguments)
        assert len(ids(registry.agents.values())) == len(set(ids(registry.agents.values())))
        assert lost & {one.metadata.uid for one in registry.agents.values()} <= registry.losers
        lost |= registry.losers


@settings(max_examples=200, deadline=None)
@given(st.permutations([1, 2, 3] * 3))
def test_register_in_overlapping_passes_ends_with_one_holder(turns: list[int]) -> None:
    """Each agent is declared, then looked at, then written; those that were given one id meanwhile do not all keep it."""
    registry = Registry()
    events = {name: iter((partial(registry.declare, claims=SHARED), registry.look, registry.write)) for name in turns}
    for name in turns:
        next(events[name])(name)
    registry.settle()
    assert ids(registry.agents.values()) == [SHARED]


def test_scopes_that_the_organization_forbids_are_told() -> None:
    """Tokens leave them out (tenancy.md), so somebody has to be told; nothing is said where nothing was ever forbidden."""
    agent = an_agent(organization_id="acme", scopes=("resumes:read", "scores:write"))
    acme = an_organization()
    narrow = replace(acme, spec=replace(acme.spec, allowed_scopes=("resumes:read",)))
    assert condition(register(AgentInput(agent, organization=acme), NOW).conditions, SCOPES_ALLOWED) is None
    forbidden = register(AgentInput(agent, organization=narrow), NOW)
    told = condition(forbidden.conditions, SCOPES_ALLOWED)
    assert told
    assert (told.status.value, told.reason) == ("False", "ScopesForbidden")
    assert "scores:write" in told.message
    assert "resumes:read" not in told.message
    allowed = register(AgentInput(replace(agent, status=forbidden), organization=acme), NOW)
    again = condition(allowed.conditions, SCOPES_ALLOWED)
    assert again
    assert (again.status.value, again.reason) == ("True", "ScopesGranted")
