"""A credential's life under everything that can happen to it: crashes, conflicts, lost answers, other writers, wild clocks.

hypothesis makes up the lives. After every single write, and after everything that others do, what workloads rely on is checked;
and whenever the operator is left in peace, it comes to rest where it should.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from agentidp.domain.identity.client_status import agent_failure, credential_failure, fitting_hashes
from agentidp.domain.identity.clients import client_agent, client_credential
from agentidp.domain.lifecycle import MAX_HASHES, IssueSecret, Wait
from agentidp.domain.resources import (
    Agent,
    CredentialPhase,
    CredentialState,
    Retirement,
    Rotation,
    Secret,
    SecretTemplate,
)
from agentidp.domain.secrets.last_used import LastUse, fingerprint
from agentidp.domain.secrets.secret_delivery import Delivery, SecretOwnership, client_secret_in, inspect
from tests.support.faults import Fault, FaultyNetwork, Interrupted, WatchedApi
from tests.support.reconciling import Operator, Stale
from tests.support.worlds import (
    AGENT_ID,
    DAY,
    ENDPOINTS,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_credential,
    a_fake_hash,
    a_provided_hash,
    a_registered_agent,
    a_suspended_agent,
    a_uid,
    a_workload_only_agent,
    respecified,
)

AGENTS: dict[str, Agent | None] = {
    "active": a_registered_agent(),
    "suspended": a_suspended_agent(),
    "missing": None,
    "without secrets": a_workload_only_agent(),
    "replaced": a_registered_agent(a_uid(7), uid=a_uid(7)),
}
SHIFTS = st.sampled_from([timedelta(), SECOND, MINUTE, HOUR, -SECOND, -MINUTE, -HOUR])
TEMPLATES = st.builds(
    SecretTemplate,
    name=st.sampled_from([None, "second", "third"]),
    labels=st.sampled_from([{}, {"team": "talent"}]),
)
ROTATIONS = st.builds(
    Rotation,
    every=st.sampled_from([None, "1h"]),
    overlap=st.sampled_from([None, "10m"]),
    retire=st.sampled_from(Retirement),
    max_overlap=st.sampled_from([None, "30m"]),
)
PROVIDED = st.one_of(st.none(), st.builds(a_provided_hash, st.sampled_from([5, 6]), hint=st.booleans()))
PLANS = st.lists(st.sampled_from([Fault.NONE, *Fault]), max_size=4)
STEPS_TO_REST = 12


class CredentialLife(RuleBasedStateMachine):
    """One credential that nobody ends, its operator, people who rotate and rename, and those who meddle with its Secret."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.api = WatchedApi(a_credential(), AGENTS["active"])
        self.network = FaultyNetwork(self.api, self.what_workloads_rely_on)
        self.operator = Operator(self.api, self.network)
        self.former: list[Secret] = []

    # The operator

    @initialize(plan=PLANS)
    def credential_is_declared(self, plan: list[Fault]) -> None:
        """And may not get its first secret at once."""
        self.operator_looks(plan, told=True)

    @rule(plan=PLANS, told=st.booleans())
    def operator_looks(self, plan: list[Fault], told: bool) -> None:
        """With old memory or with new, and with a network that may fail."""
        self.network.plan = list(plan)
        if told:
            self.operator.catch_up()
        with suppress(Interrupted):
            self.operator.bring_to_rest(self.now)
        if self.network.crashed:
            self.operator = Operator(self.api, self.network)
        self.network.plan = []

    @precondition(lambda self: self.network.late)
    @rule()
    def a_write_arrives_late(self) -> None:
        """Long after the operator gave up on it; it is for the version that it names all the same."""
        late, self.network.late = self.network.late, None
        promised = set(self.api.promised)
        new = not self.api.secrets
        with suppress(Stale):
            assert late
            late()
        if new:
            self.api.promised = promised  # a Secret is created whatever happened since

    @rule()
    def operator_is_left_in_peace(self) -> None:
        """No more faults: it comes to rest, and after what it waits for, where it should."""
        self.come_to_rest()
        for _ in range(3):
            if self.is_where_it_should_be():
                return
            self.wait()
        raise AssertionError(f"{self.api.credential.status} {self.api.secrets} at {self.now}")

    @rule(known=st.booleans())
    def token_service_tells_uses(self, known: bool) -> None:
        """Every secret was used just now; or nobody knows."""
        hashes = self.api.credential.status.secret_hashes
        self.operator.uses = {fingerprint(one.hash): LastUse(self.now) for one in hashes} if known else None

    # People

    @rule(template=TEMPLATES)
    def secret_is_declared(self, template: SecretTemplate) -> None:
        """Another name, other labels."""
        self.specify(secret=template)

    @rule(rotation=ROTATIONS, requested=st.one_of(st.none(), SHIFTS))
    def rotation_is_declared(self, rotation: Rotation, requested: timedelta | None) -> None:
        """A schedule, an overlap, a request for now or for later."""
        moment = None if requested is None else self.now + requested
        self.specify(rotation=replace(rotation, requested_at=moment))

    @rule(plan=PLANS)
    def rotation_is_requested(self, plan: list[Fault]) -> None:
        """For now, and the operator tries."""
        self.specify(rotation=replace(self.api.credential.spec.rotation, requested_at=self.now))
        self.operator_looks(plan, told=True)

    @rule()
    def rotation_is_requested_as_date_writes_it(self) -> None:
        """In whole seconds: what is in use is replaced once, whatever second it was made in, unless that was asked for."""
        self.come_to_rest()
        moment = self.now.replace(microsecond=0)
        status, requested = self.api.credential.status, self.api.credential.spec.rotation.requested_at
        moments = (status.rotated_at, status.created_at, status.rotation_requested_at, requested)
        if not self.works() or moment in moments[2:] or any(one > self.now for one in moments[:3] if one):
            return
        self.specify(rotation=replace(self.api.credential.spec.rotation, requested_at=moment))
        self.operator.catch_up()
        steps = self.operator.bring_to_rest(self.now)
        assert len([step for step in steps if isinstance(step, IssueSecret)]) == 1, steps
        self.come_to_rest()
        assert self.api.credential.status.rotation_requested_at == moment

    @rule()
    def rotation_is_not_requested_any_more(self) -> None:
        """Before it was granted, or after."""
        self.specify(rotation=replace(self.api.credential.spec.rotation, requested_at=None))

    @rule()
    def manifests_are_applied_again(self) -> None:
        """Nothing changes but the version."""
        self.api.touch()

    # Those who meddle with Secrets

    @precondition(lambda self: self.api.secrets)
    @rule(data=st.data())
    def secret_is_removed(self, data: st.DataObject) -> None:
        """Whoever's it is."""
        self.former.append(self.api.secrets.pop(self.some_secret(data)))

    @precondition(lambda self: self.api.secrets)
    @rule(data=st.data(), values=st.sampled_from([{}, {"client_secret": b"edited"}, {"client_secret": b""}]))
    def secret_is_edited(self, data: st.DataObject, values: dict[str, bytes]) -> None:
        """Its values."""
        secret = self.api.secrets[self.some_secret(data)]
        self.former.append(secret)
        self.api.put_secret(replace(secret, data=values))

    @precondition(lambda self: self.api.secrets)
    @rule(data=st.data(), annotations=st.booleans())
    def secret_is_disowned(self, data: st.DataObject, annotations: bool) -> None:
        """Its owner is taken away, and perhaps what else shows whose it is."""
        secret = self.api.secrets[self.some_secret(data)]
        kept = {} if annotations else secret.metadata.annotations
        meta = replace(secret.metadata, owner_references=(), labels={}, annotations=kept)
        self.api.put_secret(replace(secret, metadata=meta))

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def secret_is_restored(self, data: st.DataObject) -> None:
        """To what it was once."""
        self.api.put_secret(data.draw(st.sampled_from(self.former)))

    # Time

    @rule(time=st.sampled_from([SECOND / 5, SECOND, MINUTE, 10 * MINUTE, HOUR]))
    def time_passes(self, time: timedelta) -> None:
        """Things fall due."""
        self.now += time

    # What must hold

    @invariant()
    def what_workloads_rely_on(self) -> None:
        """The Secret's value is accepted, few hashes are kept, and no value is anywhere else."""
        status = msgspec.json.encode(self.api.credential)
        assert len(self.api.credential.status.secret_hashes) <= MAX_HASHES
        assert not any(value in status for value in self.values())
        secret = self.api.secrets.get(self.api.credential.secret_name)
        if secret and secret.metadata.resource_version in self.api.promised and self.should_be_accepted():
            value = client_secret_in(secret, self.api.credential)
            assert value
            assert self.accepts(value), self.api.credential.status

    def should_be_accepted(self) -> bool:
        """Nothing that is declared, or was when the operator last looked, speaks against it."""
        spec, status = self.api.credential.spec, self.api.credential.status
        seen = self.api.decided_generation == self.api.credential.metadata.generation
        ends = [moment for moment in (spec.expires_at, None if seen else status.expires_at) if moment]
        return (
            self.api.agent is AGENTS["active"]
            and status.client_id in {None, AGENT_ID}
            and not self.is_revoked()
            and not spec.secret_hash
            and all(self.now < moment for moment in ends)
        )

    def accepts(self, value: bytes) -> bool:
        """Whether the token service would."""
        agent, credential, now = self.api.agent, client_credential(self.api.credential), self.now.timestamp()
        if not agent or agent_failure(client_agent(agent), None):
            return False
        if credential_failure(credential, client_agent(agent), now):
            return False
        return any(one.hash == a_fake_hash(value) for one in fitting_hashes(credential, value, now))

    def come_to_rest(self) -> None:
        """In few steps, and without anything left to write."""
        self.operator.catch_up()
        assert len(self.operator.bring_to_rest(self.now)) <= STEPS_TO_REST
        self.operator.catch_up()
        credential, held = self.api.credential, dict(self.api.secrets)
        (rest,) = self.operator.bring_to_rest(self.now)
        assert isinstance(rest, Wait)
        assert rest.until is None or rest.until > self.now
        assert (self.api.credential, self.api.secrets) == (credential, held)

    def wait(self) -> None:
        """Until the operator wants to look again."""
        self.operator.catch_up()
        (rest,) = self.operator.bring_to_rest(self.now)
        assert isinstance(rest, Wait)
        assert rest.until
        self.now = rest.until
        self.come_to_rest()

    def is_where_it_should_be(self) -> bool:
        """What the spec and the agent ask for is what there is."""
        credential = self.api.credential
        phase = self.ending()
        if phase:
            return credential.status.phase is phase and self.is_ended()
        if self.api.agent is not AGENTS["active"]:
            return True  # nothing is made, nothing is taken away
        if credential.spec.secret_hash:
            return not self.ours() and self.only_provided()
        if self.found(credential.secret_name).holding is SecretOwnership.FOREIGN:
            return credential.status.phase is CredentialPhase.PENDING
        return self.works()

    def ending(self) -> CredentialPhase | None:
        """The phase in which nothing of the credential may be left, if it is in one."""
        spec, status, agent = self.api.credential.spec, self.api.credential.status, self.api.agent
        if self.is_revoked():
            return CredentialPhase.REVOKED
        if spec.expires_at and spec.expires_at <= self.now:
            return CredentialPhase.EXPIRED
        replaced = agent and agent is not AGENTS["suspended"] and status.client_id not in {None, agent.status.agent_id}
        return CredentialPhase.PENDING if replaced else None

    def works(self) -> bool:
        """One Secret of ours, as declared, with a value that is accepted; older ones only for the overlap."""
        credential = self.api.credential
        status = credential.status
        if not self.found(credential.secret_name).intact:
            return False
        value, hashes = (
            self.api.secrets[credential.secret_name].data["client_secret"],
            [one.hash for one in status.secret_hashes],
        )
        if not self.accepts(value) or status.secret_hashes[hashes.index(a_fake_hash(value))].not_after:
            return False  # somebody has put an old value back, which is to be replaced
        assert status.phase is CredentialPhase.ACTIVE
        assert status.binding
        assert status.binding.name == credential.secret_name
        assert self.ours() == [credential.secret_name]
        assert all(one.not_after for one in status.secret_hashes[: hashes.index(a_fake_hash(value))])
        requested = credential.spec.rotation.requested_at
        assert not requested or requested > self.now or requested <= max(filter(None, (status.created_at, status.rotated_at)))
        return True

    def only_provided(self) -> bool:
        """The provided hash is the one that is accepted without end."""
        provided = self.api.credential.spec.secret_hash
        endless = [one for one in self.api.credential.status.secret_hashes if not one.not_after]
        return provided is not None and [(one.hash, one.hint) for one in endless] == [(provided.hash, provided.hint)]

    def is_ended(self) -> bool:
        """Nothing is accepted, and no Secret of ours is left."""
        status = self.api.credential.status
        return not (status.secret_hashes or status.binding or self.ours())

    def is_revoked(self) -> bool:
        """For ever."""
        return self.api.credential.spec.state is CredentialState.REVOKED or self.api.credential.status.revoked_at is not None

    def ours(self) -> list[str]:
        """Names of Secrets that are the credential's."""
        return [name for name in self.api.secrets if self.found(name).holding is SecretOwnership.OURS]

    def found(self, name: str) -> Delivery:
        """What the Secret of this name is to the credential."""
        return inspect(self.api.credential, name, self.api.secrets.get(name), ENDPOINTS)

    def values(self) -> Iterator[bytes]:
        """Every value that is or was in a Secret of our form."""
        for secret in (*self.api.secrets.values(), *self.former):
            yield from (value for value in secret.data.values() if value.startswith(b"sk_live_"))

    def specify(self, **spec: object) -> None:
        """A person changes the spec; the API server counts it if it is another one."""
        if respecified(self.api.credential, **spec).spec != self.api.credential.spec:
            self.api.put_credential(respecified(self.api.credential, **spec))

    def some_secret(self, data: st.DataObject) -> str:
        """The name of one that is there."""
        return data.draw(st.sampled_from(sorted(self.api.secrets)))

    def teardown(self) -> None:
        """However the life went, it ends in peace."""
        self.operator_is_left_in_peace()


class EndangeredLife(CredentialLife):
    """The same with everything that ends or stops a credential, and with clocks that jump."""

    @rule(ends=st.one_of(st.none(), SHIFTS))
    def expiry_is_declared(self, ends: timedelta | None) -> None:
        """In the past, in the future, or never."""
        self.specify(expires_at=None if ends is None else self.now + ends)

    @rule(provided=PROVIDED)
    def hash_is_provided(self, provided: object) -> None:
        """Or not any more."""
        self.specify(secret_hash=provided)

    @rule(agent=st.sampled_from(["active", *sorted(AGENTS)]))
    def agent_changes(self, agent: str) -> None:
        """It is suspended, resumed, deleted, declared again."""
        self.api.agent = AGENTS[agent]

    @rule(sure=st.sampled_from([False, False, False, True]))
    def credential_is_revoked(self, sure: bool) -> None:
        """Not in every life."""
        if sure:
            self.specify(state=CredentialState.REVOKED)

    @rule(name=st.sampled_from(["screener-key", "second"]))
    def somebody_elses_secret_takes_the_name(self, name: str) -> None:
        """Not of our type."""
        self.api.put_secret(Secret(metadata=replace(a_credential().metadata, name=name, uid=""), data={"client_secret": b"x"}))

    @rule(jump=st.sampled_from([DAY, -SECOND, -HOUR, -DAY]))
    def clock_jumps(self, jump: timedelta) -> None:
        """Somebody set it."""
        self.now += jump


CredentialLife.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, report_multiple_bugs=False)
EndangeredLife.TestCase.settings = CredentialLife.TestCase.settings
TestCredentialLife, TestEndangeredLife = CredentialLife.TestCase, EndangeredLife.TestCase
