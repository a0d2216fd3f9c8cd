"""How a pending change is rolled back: by its record, and only while the credential is as the change has left it."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from agentidp.domain.resources import (
    AgentCredential,
    CredentialRef,
    CredentialState,
    ObjectMeta,
    Operation,
    PendingChange,
    PendingChangeSpec,
    PreviousSecret,
    ProvidedHash,
)
from agentidp.kube.errors import Unreachable
from management_api.cache.metadata import CHANGED_AT
from management_api.errors import ApiFailure, Code
from management_api.operations import preconditions
from management_api.operations.pending_changes import generation, record_name, rotation
from management_api.operations.rollback import concerns, is_abandoned, rollback_patch, sweep
from tests.support.worlds import CREDENTIAL_ID, HOUR, MINUTE, NAMESPACE, NOW, SECOND, an_issued_credential

OLD, NEW, OTHER = (f"$2b$10${letter * 53}" for letter in "abc")
WHERE = CredentialRef(namespace=NAMESPACE, name="screener-key", uid=CREDENTIAL_ID)
ROTATED_SPEC = PendingChangeSpec(
    credential=WHERE,
    operation=Operation.ROTATE,
    hash=NEW,
    previous=PreviousSecret(hash=OLD, hint="0a0a0a0a", expires_at=NOW),
    request_id="r",
)
META = ObjectMeta(name=record_name(WHERE), creation_timestamp=NOW)
ROTATED = PendingChange(metadata=META, spec=ROTATED_SPEC)
GENERATED = PendingChange(metadata=META, spec=replace(ROTATED_SPEC, operation=Operation.GENERATE, previous=None))


def left(hashed: str = NEW, **spec: Any) -> AgentCredential:
    """A credential with this hash."""
    credential = an_issued_credential()
    return replace(credential, spec=replace(credential.spec, secret_hash=ProvidedHash(hash=hashed, hint="1b1b1b1b"), **spec))


ROLLED_BACK: dict[str, tuple[AgentCredential, PendingChange, dict[str, Any]]] = {
    "what was generated is revoked": (left(), GENERATED, {"spec": {"state": "Revoked"}}),
    "what was rotated has its hash from before": (
        left(),
        ROTATED,
        {"spec": {"secretHash": {"hash": OLD, "hint": "0a0a0a0a"}, "expiresAt": NOW.isoformat()}},
    ),
    "what has another hash by now keeps it": (left(OTHER), ROTATED, {}),
    "what has its hash from before already keeps it": (left(OLD), ROTATED, {}),
    "what was revoked meanwhile stays so": (left(state=CredentialState.REVOKED), ROTATED, {}),
    "what is delivered to a Secret by now stays so": (an_issued_credential(), ROTATED, {}),
}


@pytest.mark.parametrize("what", ROLLED_BACK)
def test_rolling_back(what: str) -> None:
    """As the row says."""
    credential, change, patch = ROLLED_BACK[what]
    assert rollback_patch(change, credential) == patch


STANDING = {"it has the hash": left(), "it has another hash": left(OTHER), "it is revoked": left(state=CredentialState.REVOKED)}


@pytest.mark.parametrize("what", STANDING)
def test_only_what_stands_is_told(what: str) -> None:
    """Else its secret would be told, and refused."""
    if what == "it has the hash":
        preconditions.require_in_effect(STANDING[what], ROTATED)
    else:
        with pytest.raises(ApiFailure):
            preconditions.require_in_effect(STANDING[what], ROTATED)


def test_a_record_is_of_one_object() -> None:
    """A credential that came under the same name is another; one that did not exist yet is whichever has the hash."""
    other = replace(left(), metadata=replace(left().metadata, uid="another"))
    anyone = replace(GENERATED, spec=replace(GENERATED.spec, credential=replace(WHERE, uid=None)))
    assert [concerns(ROTATED, one) for one in (left(), other)] == [True, False]
    assert [concerns(anyone, one) for one in (left(), other)] == [True, True]


@pytest.mark.parametrize(("age", "abandoned"), [(-MINUTE, False), (SECOND, False), (MINUTE, True)])
def test_a_change_is_abandoned_when_its_record_is_older_than_a_request_lives(age: timedelta, abandoned: bool) -> None:
    """The API server gives the time; one that a record says of itself would be its writer's."""
    assert is_abandoned(ROTATED, NOW + age, 40 * SECOND) == abandoned


def test_what_is_put_back_is_what_was_read() -> None:
    """And from nothing that its annotations say."""
    before = left(OLD, expires_at=NOW)
    forged = {"idp.sentryagent.ai/unconfirmed": OTHER}
    forging = replace(before, metadata=replace(before.metadata, annotations=forged))
    for credential in (before, forging):
        recorded = rotation(credential, NEW, "r")
        assert recorded.previous == PreviousSecret(hash=OLD, hint="1b1b1b1b", expires_at=NOW)


def test_a_write_that_comes_after_the_rolling_back_is_refused() -> None:
    """Whoever rolls a change back of which nothing is to be seen yet leaves the time; the generation stays."""
    before = left(OLD)
    after = replace(before, metadata=replace(before.metadata, annotations={CHANGED_AT: "later"}))
    assert preconditions.unless_superseded(before, before, {"spec": {}}) == {"spec": {}}
    with pytest.raises(ApiFailure, match="came first"):
        preconditions.unless_superseded(before, after, {"spec": {}})


def test_names_of_records_tell_credentials_apart() -> None:
    """Whatever their names have in common."""
    names = [("a", "b.c"), ("a.b", "c"), ("a", "b-c"), ("a-b", "c")]
    assert len({record_name(CredentialRef(namespace=one, name=other)) for one, other in names}) == len(names)


AGE = timedelta(hours=1)
CONTENT = "what is written there"
TROUBLES = [
    Unreachable("the API server is away"),
    ApiFailure(HTTPStatus.CONFLICT, Code.UNAVAILABLE, "it has changed"),
    OverflowError(CONTENT),
    RecursionError(CONTENT),
]


def pending(name: str, created: datetime | None = NOW - 2 * HOUR) -> PendingChange:
    """The record of a change of this credential."""
    meta = ObjectMeta(name=name, creation_timestamp=created)
    return PendingChange(metadata=meta, spec=generation("talent", name, "$2b$10$a", "r"))


async def test_only_what_is_older_than_any_request_lives_is_rolled_back() -> None:
    """Not what is under way, or what was recorded by a clock that is ahead."""
    rolled_back: list[str] = []

    async def roll_back(change: PendingChange) -> None:
        rolled_back.append(change.metadata.name)

    found = [pending("young", NOW), pending("ahead", NOW + HOUR), pending("undated", None), pending("old")]
    await sweep(found, roll_back, NOW, AGE)
    assert rolled_back == ["old"]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_with_one_harms_no_other(trouble: Exception) -> None:
    """It is logged; of a fault of ours only its kind."""
    rolled_back: list[str] = []

    async def roll_back(change: PendingChange) -> None:
        if change.metadata.name == "first":
            raise trouble
        rolled_back.append(change.metadata.name)

    with capture_logs() as logs:
        await sweep([pending("first"), pending("second")], roll_back, NOW, AGE)
    assert rolled_back == ["second"]
    assert len(logs) == 1
    assert CONTENT not in str(logs)
