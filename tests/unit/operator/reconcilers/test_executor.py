"""Issuing a secret where a write is refused: what nobody can know is used at the next try, anything else never again."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.limits import Limits
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import GatheredInput
from agentidp.domain.lifecycle import IssueSecret
from agentidp.domain.resources import AgentCredential, CredentialStatus, Secret
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.client_secrets import generate_secret, hint_of
from agentidp.kube.errors import ApiError, Conflict, Forbidden, Invalid, Unreachable
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from tests.support.worlds import ENDPOINTS, a_fake_hash, a_secret, a_uid, an_issued_credential, seen

CONFLICT = Conflict(409, "Conflict", "the object has been modified")
REFUSALS = {
    "somebody else wrote first": CONFLICT,
    "a quota": Forbidden(403, "Forbidden", "exceeded quota"),
    "a policy": Invalid(422, "Invalid", "denied"),
}


@dataclass
class Api:
    """Takes statuses and Secrets, or says what it is told to say; what it took is kept."""

    status_troubles: list[ApiError] = field(default_factory=list)
    secret_troubles: list[ApiError] = field(default_factory=list)
    statuses: list[CredentialStatus] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)

    async def credential_status(self, credential: AgentCredential, status: CredentialStatus) -> AgentCredential:
        """A status."""
        if self.status_troubles:
            raise self.status_troubles.pop(0)
        self.statuses.append(status)
        return replace(credential, status=status)

    async def create_secret(self, secret: Secret) -> None:
        """A Secret."""
        if self.secret_troubles:
            raise self.secret_troubles.pop(0)
        self.values.append(secret.data["client_secret"])

    def credential_event(self, *_: Any, **__: Any) -> None:
        """Told to nobody."""


@dataclass
class FakeGenerator:
    """Counts what it has made."""

    made: list[bytes] = field(default_factory=list)

    async def make(self, credential_id: str, group: str = "") -> GeneratedSecret:  # noqa: ARG002 as the real one
        """A secret."""
        value = generate_secret()
        self.made.append(value.encode())
        return GeneratedSecret(value, a_fake_hash(value.encode()), hint_of(credential_id, value.encode()))


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_value_whose_delivery_was_refused_is_delivered_at_the_next_try(refusal: ApiError) -> None:
    """Its hash is published already: nothing is hashed again, and no other hash is published."""
    api, generator = Api(secret_troubles=[refusal]), FakeGenerator()
    await issue_twice(api, generator)
    assert len(api.statuses) == 1
    assert api.values == generator.made


async def test_a_value_whose_hash_was_not_taken_is_used_at_the_next_try() -> None:
    """Somebody else wrote the status first."""
    api, generator = Api(status_troubles=[CONFLICT]), FakeGenerator()
    await issue_twice(api, generator)
    assert len(api.statuses) == 1
    assert api.values == generator.made


async def test_a_value_that_may_have_arrived_is_never_issued_again() -> None:
    """Where the answer was lost, a workload may have read it."""
    api, generator = Api(secret_troubles=[Unreachable("the answer was lost")]), FakeGenerator()
    await issue_twice(api, generator)
    assert len(generator.made) == 2
    assert api.values == generator.made[1:]


async def test_a_value_that_was_delivered_is_never_issued_again() -> None:
    """Each secret is a new one."""
    api, generator = Api(), FakeGenerator()
    await issue_twice(api, generator)
    assert api.values == generator.made
    assert len(set(api.values)) == 2


async def test_a_value_that_was_delivered_although_it_was_refused_is_never_issued_again() -> None:
    """A request that got no answer is repeated by the HTTP client, and then its own first try is in its way."""
    api, generator = Api(secret_troubles=[CONFLICT]), FakeGenerator()
    executor, credential = Executor(api, generator, ENDPOINTS), an_issued_credential()  # type: ignore[arg-type]
    step = IssueSecret(Reason.ROTATION_REQUESTED, credential.status)
    with pytest.raises(Conflict):
        await executor.execute(GatheredInput(seen(credential), None, None), step)
    published = replace(credential, status=api.statuses[-1])
    gathered = GatheredInput(seen(published, secret=a_secret(published, generator.made[0])), None, None)
    await executor.execute(gathered, IssueSecret(Reason.ROTATION_REQUESTED, published.status))
    assert api.values == generator.made[1:]


async def test_undelivered_values_are_bounded() -> None:
    """Their credentials may be gone, and whoever may declare credentials may declare more: the oldest are made anew."""
    api, generator = Api(secret_troubles=[CONFLICT] * 100), FakeGenerator()
    executor = Executor(api, generator, ENDPOINTS, Limits(max_undelivered=10))  # type: ignore[arg-type]
    for number in (*range(100), *range(90, 100)):
        credential = an_issued_credential(uid=a_uid(number))
        with suppress(Conflict):
            await executor.execute(
                GatheredInput(seen(credential), None, None), IssueSecret(Reason.NOT_ISSUED, credential.status)
            )
    assert len(generator.made) == 100
    assert api.values == generator.made[90:]


async def issue_twice(api: Any, generator: Any) -> None:
    """Each time as the last status has it; the first time may be in vain."""
    executor, credential = Executor(api, generator, ENDPOINTS), an_issued_credential()
    for _ in range(2):
        gathered = GatheredInput(seen(credential), None, None)
        with suppress(ApiError):
            await executor.execute(gathered, IssueSecret(Reason.ROTATION_REQUESTED, credential.status))
        credential = replace(credential, status=api.statuses[-1]) if api.statuses else credential
