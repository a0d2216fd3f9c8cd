"""Rollback of pending changes: by the record, and only while the credential is as the change has left it."""

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
    Rotation,
)
from agentidp.kube.errors import Unreachable
from management_api.errors import ApiFailure, Code
from management_api.operations.pending_changes import generation, record_name
from management_api.operations.rollback import concerns, is_abandoned, rollback_patch, sweep
from tests.support.management_parts import a_credential_with_hash
from tests.support.worlds import CREDENTIAL_ID, HOUR, MINUTE, NAMESPACE, NOW, SECOND, an_issued_credential

OLD, NEW, OTHER = (f"$2b$10${letter * 53}" for letter in "abc")
REFERENCE = CredentialRef(namespace=NAMESPACE, name="screener-key", uid=CREDENTIAL_ID)
ROTATED_SPEC = PendingChangeSpec(
    credential=REFERENCE,
    operation=Operation.ROTATE,
    hash=NEW,
    previous=PreviousSecret(hash=OLD, hint="0a0a0a0a", expires_at=NOW),
    request_id="r",
)
META = ObjectMeta(name=record_name(REFERENCE), creation_timestamp=NOW)
ROTATED = PendingChange(metadata=META, spec=ROTATED_SPEC)
GENERATED = PendingChange(metadata=META, spec=replace(ROTATED_SPEC, operation=Operation.GENERATE, previous=None))


ROLLED_BACK: dict[str, tuple[AgentCredential, PendingChange, dict[str, Any]]] = {
    "what was generated is revoked": (a_credential_with_hash(NEW), GENERATED, {"spec": {"state": "Revoked"}}),
    "what was rotated has its hash from before": (
        a_credential_with_hash(NEW),
        ROTATED,
        {"spec": {"secretHash": {"hash": OLD, "hint": "0a0a0a0a"}, "expiresAt": NOW.isoformat()}},
    ),
    "what has another hash by now keeps it": (a_credential_with_hash(OTHER), ROTATED, {}),
    "what has its hash from before already keeps it": (a_credential_with_hash(OLD), ROTATED, {}),
    "what was revoked meanwhile stays so": (a_credential_with_hash(NEW, state=CredentialState.REVOKED), ROTATED, {}),
    "what is delivered to a Secret by now stays so": (an_issued_credential(), ROTATED, {}),
}


@pytest.mark.parametrize("what", ROLLED_BACK)
def test_rollback_patch_undoes_only_what_the_change_wrote(what: str) -> None:
    """Each row names what the credential is like now, and what becomes of it."""
    credential, change, patch = ROLLED_BACK[what]
    assert rollback_patch(change, credential) == patch


ENDS = NOW + SECOND
ENDED = replace(
    ROTATED, spec=replace(ROTATED_SPEC, end_overlaps_at=ENDS, previous=PreviousSecret(hash=OLD, end_overlaps_at=NOW - HOUR))
)
FIRST = replace(ENDED, spec=replace(ENDED.spec, previous=PreviousSecret(hash=OLD)))
ENDS_AFTERWARDS: dict[str, tuple[PendingChange, datetime | None, dict[str, Any]]] = {
    "its own goes back": (ENDED, ENDS, {"rotation": {"endOverlapsAt": (NOW - HOUR).isoformat()}}),
    "its own goes away": (FIRST, ENDS, {"rotation": {"endOverlapsAt": None}}),
    "a later one of somebody else stays": (ENDED, ENDS + HOUR, {}),
    "one that somebody has taken away stays away": (ENDED, None, {}),
    "one of before stays": (ROTATED, NOW, {}),
}


@pytest.mark.parametrize("what", ENDS_AFTERWARDS)
def test_rollback_patch_restores_the_end_of_overlaps_that_the_change_wrote(what: str) -> None:
    """Decision 13: left there it would cut the restored secret's overlap short; what others have ended stays ended."""
    change, ends, patch = ENDS_AFTERWARDS[what]
    written = rollback_patch(change, a_credential_with_hash(NEW, rotation=Rotation(end_overlaps_at=ends)))["spec"]
    assert written["secretHash"]["hash"] == OLD
    assert {key: value for key, value in written.items() if key == "rotation"} == patch


def test_rollback_concerns_one_object() -> None:
    """A credential that came under the same name is another; one that did not exist yet is whichever has the hash."""
    other = replace(a_credential_with_hash(NEW), metadata=replace(a_credential_with_hash(NEW).metadata, uid="another"))
    anyone = replace(GENERATED, spec=replace(GENERATED.spec, credential=replace(REFERENCE, uid=None)))
    assert [concerns(ROTATED, one) for one in (a_credential_with_hash(NEW), other)] == [True, False]
    assert [concerns(anyone, one) for one in (a_credential_with_hash(NEW), other)] == [True, True]


@pytest.mark.parametrize(("age", "abandoned"), [(-MINUTE, False), (SECOND, False), (MINUTE, True)])
def test_rollback_waits_until_the_record_is_older_than_a_request_lives(age: timedelta, abandoned: bool) -> None:
    """The API server gives the time; one that a record says of itself would be its writer's."""
    assert is_abandoned(ROTATED, NOW + age, 40 * SECOND) == abandoned


AGE = timedelta(hours=1)
CONTENT = "what is written there"
ERRORS = [
    Unreachable("the API server is away"),
    ApiFailure(HTTPStatus.CONFLICT, Code.UNAVAILABLE, "it has changed"),
    OverflowError(CONTENT),
    RecursionError(CONTENT),
]


def pending(name: str, created: datetime | None = NOW - 2 * HOUR) -> PendingChange:
    """The record of a change of this credential."""
    meta = ObjectMeta(name=name, creation_timestamp=created)
    return PendingChange(metadata=meta, spec=generation("talent", name, "$2b$10$a", "r"))


async def test_rollback_sweep_leaves_changes_that_are_under_way() -> None:
    """Not what is under way, or what was recorded by a clock that is ahead."""
    rolled_back: list[str] = []

    async def roll_back(change: PendingChange) -> None:
        rolled_back.append(change.metadata.name)

    changes = [pending("young", NOW), pending("ahead", NOW + HOUR), pending("undated", None), pending("old")]
    await sweep(changes, roll_back, NOW, AGE)
    assert rolled_back == ["old"]


@pytest.mark.parametrize("error", ERRORS)
async def test_rollback_sweep_goes_on_after_a_failure(error: Exception) -> None:
    """The failure is logged; of an unexpected exception only its type, since its text may be a tenant's."""
    rolled_back: list[str] = []

    async def roll_back(change: PendingChange) -> None:
        if change.metadata.name == "first":
            raise error
        rolled_back.append(change.metadata.name)

    with capture_logs() as logs:
        await sweep([pending("first"), pending("second")], roll_back, NOW, AGE)
    assert rolled_back == ["second"]
    assert len(logs) == 1
    assert CONTENT not in str(logs)
