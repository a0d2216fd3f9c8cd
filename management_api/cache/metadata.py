"""Annotations and timestamps in the metadata of resources: what this API writes there, and what it reads.

A tenant that may write a resource may write its metadata, too. So an annotation gives no right that the tenant does not have
already (docs/decisions/0032), and a timestamp that does not parse counts as absent.
"""

from datetime import UTC, datetime

from agentidp.domain.resources import GROUP

GENERATED_BY = f"{GROUP}/generated-by"
CHANGED_BY = f"{GROUP}/changed-by"
CHANGED_AT = f"{GROUP}/changed-at"
REQUEST_ID = f"{GROUP}/request-id"
THIS_API = "management-api"
NEVER = datetime.fromtimestamp(0, UTC)
"""The creation time of an object that has none."""


def audit_annotations(changed_by: str, request_id: str) -> dict[str, str]:
    """Return the annotations of a change that is made now: by whom, and in which request."""
    return {CHANGED_BY: changed_by, REQUEST_ID: request_id, CHANGED_AT: format_timestamp(datetime.now(UTC))}


def creation_annotation() -> dict[str, str]:
    """Return the annotation that marks an object as created by this API."""
    return {GENERATED_BY: THIS_API}


def format_timestamp(time: datetime) -> str:
    """Return the time as RFC 3339 in UTC with microseconds (`metav1.MicroTime`)."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_timestamp(text: str | None) -> datetime | None:
    """Return the time in UTC, or None where the text is no time, has no zone, or is outside the calendar."""
    try:
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
