"""When a secret was last used: what the token service tells the operator, so that nobody's secret is retired under them.

What is told never names a hash or a secret: a fingerprint of the hash stands for it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from agentidp.domain.resources.meta import Time

USAGE_PATH = "/internal/usage"
USAGE_SCOPE = "usage:read"
OPERATOR = "agentidp-operator"
"""The client id under which the operator asks; agents have UUIDs."""
FINGERPRINT_DIGITS = 16
MAX_CONSUMERS = 8


class LastUse(Struct, frozen=True):
    """When a secret last authenticated, and by whom: addresses and user agents of its latest consumers."""

    at: Time
    consumers: tuple[str, ...] = ()


Uses = Mapping[str, LastUse]
"""The last use of each hash of one credential, by the hash's fingerprint; a hash that is missing was not used."""


class LastUsedReport(Struct, frozen=True, kw_only=True):
    """What one replica of the token service tells: all that was used after what it has `told` already."""

    replica: str
    """A new id at each start: what another one has told says nothing about this one."""
    since: Time
    """When it began to look."""
    told: int
    """To be given back as `after` at the next time."""
    uses: dict[str, dict[str, LastUse]]
    """By credential id and fingerprint."""
    over_daily_limit: dict[str, Time] = {}
    """The agents that got no token today because of their organization's `limits.tokensPerDay`: when that happened first."""


def fingerprint(hashed: str) -> str:
    """What stands for a hash where the hash itself need not be shown."""
    return hashlib.sha256(hashed.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def merged(one: LastUse | None, other: LastUse) -> LastUse:
    """The later use, with the consumers of both, latest first."""
    if one is None:
        return other
    latest, earlier = (one, other) if one.at >= other.at else (other, one)
    consumers = dict.fromkeys((*latest.consumers, *earlier.consumers))
    return LastUse(latest.at, tuple(consumers)[:MAX_CONSUMERS])


def latest(moments: tuple[datetime | None, ...]) -> datetime | None:
    """The last of some moments, if there is one."""
    return max((moment for moment in moments if moment), default=None)
