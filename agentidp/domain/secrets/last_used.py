"""Last use of a secret, reported by the token service to the operator, so that no secret in use is retired.

A report has no hash and no secret: a fingerprint identifies a hash.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from agentidp.domain.resources.meta import Time

USAGE_PATH = "/internal/usage"
USAGE_SCOPE = "usage:read"
OPERATOR = "agentidp-operator"
"""The client id of the operator's requests; agents have UUIDs."""
FINGERPRINT_DIGITS = 16
MAX_CONSUMERS = 8


class LastUse(Struct, frozen=True):
    """The time of the last authentication with a secret, and the addresses and user agents of its latest consumers."""

    at: Time
    consumers: tuple[str, ...] = ()


Uses = Mapping[str, LastUse]
"""The last use of each hash of one credential, by fingerprint. A hash that is missing was not used."""


class LastUsedReport(Struct, frozen=True, kw_only=True):
    """The report of one replica of the token service: all uses after the position that the operator has sent."""

    replica: str
    """A new id at each start: the position of another replica means nothing to this one."""
    since: Time
    """The start of the replica, before which it has seen no use."""
    told: int
    """The position of this report, which the operator sends as `after` with its next request."""
    uses: dict[str, dict[str, LastUse]]
    """The last uses by credential id and fingerprint."""
    over_daily_limit: dict[str, Time] = {}
    """The agents that got no token today because of their organization's `limits.tokensPerDay`: when that happened first."""


def fingerprint(hashed: str) -> str:
    """The fingerprint that identifies a hash without revealing it."""
    return hashlib.sha256(hashed.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def merged(one: LastUse | None, other: LastUse) -> LastUse:
    """The later use, with the consumers of both, latest first."""
    if one is None:
        return other
    latest, earlier = (one, other) if one.at >= other.at else (other, one)
    consumers = dict.fromkeys((*latest.consumers, *earlier.consumers))
    return LastUse(latest.at, tuple(consumers)[:MAX_CONSUMERS])


def latest(timestamps: tuple[datetime | None, ...]) -> datetime | None:
    """The latest of some timestamps, if there is one."""
    return max((timestamp for timestamp in timestamps if timestamp), default=None)
