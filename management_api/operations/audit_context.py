"""Where a change comes from: it goes to the resource and to the log, so that an audit trail can be built on it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from agentidp.domain.resources import GROUP
from management_api.cache.annotations import GENERATED
from management_api.cache.credentials import CHANGED_AT

CHANGED_BY = f"{GROUP}/changed-by"
REQUEST_ID = f"{GROUP}/request-id"
US = "management-api"


@dataclass(frozen=True)
class AuditContext:
    """Who asked, at whose expense, in which request; `is_gone` tells whether they still wait for the answer."""

    caller: str
    tenant: str
    request_id: str
    is_gone: Callable[[], Awaitable[bool]]

    def annotations(self) -> dict[str, str]:
        """What the changed resource says of it."""
        return marks(self.caller, self.request_id)


def marks(changed_by: str, request_id: str) -> dict[str, str]:
    """The annotations of a change that is made now."""
    return {CHANGED_BY: changed_by, REQUEST_ID: request_id, CHANGED_AT: written(datetime.now(UTC))}


def made_here() -> dict[str, str]:
    """The annotation of what this API has made."""
    return {GENERATED: US}


def written(moment: datetime) -> str:
    """As resources write a time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
