"""Annotations of this API.

| annotation | written | read |
|---|---|---|
| `generated-by` | on what this API creates | for rotation, and for retention |
| `changed-by` | with each change: the caller | by people |
| `changed-at` | with each change: the time | as the time of a revocation until the operator records it; to notice a rollback |
| `request-id` | with each change: the id of the request, which the log has, too | by people |

A tenant that may write a resource may write its annotations, too. So an annotation gives no right that the tenant does not have
already (decision 32), and a timestamp that does not parse counts as absent.
"""

from datetime import UTC, datetime

from agentidp.domain.resources import GROUP
from agentidp.domain.resources.meta import parse_rfc3339, rfc3339

GENERATED_BY = f"{GROUP}/generated-by"
CHANGED_BY = f"{GROUP}/changed-by"
CHANGED_AT = f"{GROUP}/changed-at"
REQUEST_ID = f"{GROUP}/request-id"
THIS_API = "management-api"
NEVER = datetime.fromtimestamp(0, UTC)
"""The creation time of an object that has none."""


def audit_annotations(changed_by: str, request_id: str) -> dict[str, str]:
    """Return the annotations of a change that is made now: by whom, and in which request."""
    return {CHANGED_BY: changed_by, REQUEST_ID: request_id, CHANGED_AT: micro_time(datetime.now(UTC))}


def creation_annotation() -> dict[str, str]:
    """Return the annotation that marks an object as created by this API."""
    return {GENERATED_BY: THIS_API}


def micro_time(timestamp: datetime) -> str:
    """Return the timestamp as text with microseconds, like a `metav1.MicroTime`."""
    return rfc3339(timestamp, "microseconds")


def parse_timestamp(text: str | None) -> datetime | None:
    """Return the timestamp in an annotation or in managed fields, None where the text is none."""
    return parse_rfc3339(text or "")
