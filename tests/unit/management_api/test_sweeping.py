"""Marks that nobody confirms any more are undone, and whatever is wrong with one of them harms no other."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from agentidp.kube.errors import Unreachable
from management_api.changes.sweeping import sweep_once
from management_api.changes.unconfirmed import UnconfirmedChange, What
from management_api.failures import Code, Failure
from management_api.registry.credentials import UNCONFIRMED, CredentialTable, RegisteredCredential, registered
from tests.support.worlds import a_credential

AGE = timedelta(hours=1)
OLD = UnconfirmedChange(what=What.GENERATE, request_id="r", since=datetime.now(UTC) - 2 * AGE, hash="$2b$10$a")
YOUNG = replace(OLD, since=datetime.now(UTC))
TO_COME = replace(OLD, since=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
CONTENT = "what is written there"
TROUBLES = [
    Unreachable("the API server is away"),
    Failure(HTTPStatus.CONFLICT, Code.UNAVAILABLE, "it has changed"),
    OverflowError(CONTENT),
    RecursionError(CONTENT),
]


def marked(*marks: str) -> CredentialTable:
    """A credential with each of these marks."""
    table = CredentialTable()
    for number, mark in enumerate(marks):
        one = a_credential(uid=f"{number}")
        table.put(registered(replace(one, metadata=replace(one.metadata, annotations={UNCONFIRMED: mark}))))
    return table


def mark_of(change: UnconfirmedChange) -> str:
    """As the credential carries it."""
    return change.annotation()[UNCONFIRMED]


async def test_only_what_is_older_than_any_request_lives_is_undone() -> None:
    """Not what is under way, what is yet to come, or what is no mark."""
    undone: list[tuple[str, UnconfirmedChange]] = []

    async def undo(seen: RegisteredCredential, change: UnconfirmedChange) -> None:
        undone.append((seen.credential_id, change))

    await sweep_once(marked(mark_of(TO_COME), "[" * 1_000, "{}", mark_of(YOUNG), mark_of(OLD)), undo, AGE)
    assert undone == [("4", OLD)]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_with_one_harms_no_other(trouble: Exception) -> None:
    """It is logged; of a fault of ours only its kind, not what somebody may have written."""
    undone: list[str] = []

    async def undo(seen: RegisteredCredential, _: UnconfirmedChange) -> None:
        if seen.credential_id == "0":
            raise trouble
        undone.append(seen.credential_id)

    with capture_logs() as logs:
        await sweep_once(marked(mark_of(OLD), mark_of(OLD)), undo, AGE)
    assert undone == ["1"]
    assert len(logs) == 1
    assert CONTENT not in str(logs)
