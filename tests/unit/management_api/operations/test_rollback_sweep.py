"""Changes that nobody confirms any more are rolled back, and whatever is wrong with one of them harms no other."""

from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from structlog.testing import capture_logs

from agentidp.domain.resources import ObjectMeta, PendingChange
from agentidp.kube.errors import Unreachable
from management_api.errors import ApiFailure, Code
from management_api.operations.pending_changes import generation
from management_api.operations.rollback_sweep import sweep_once
from tests.support.worlds import HOUR, NOW

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
    await sweep_once(found, roll_back, NOW, AGE)
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
        await sweep_once([pending("first"), pending("second")], roll_back, NOW, AGE)
    assert rolled_back == ["second"]
    assert len(logs) == 1
    assert CONTENT not in str(logs)
