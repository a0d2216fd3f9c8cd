"""Retiring an old secret only when nobody uses it any more (`spec.rotation.retire: WhenUnused`).

An old secret's end is reviewed when half of its overlap is left. Its end moves to one overlap after the last use that is known,
or after now where no use is known, and by the time that it takes to learn of a use (`Input.uses_lag`): a client that uses its
secret at least once in each overlap is never cut off. No end moves beyond `maxOverlap` after the successor was made.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace

from agentidp.domain.lifecycle.input import Input
from agentidp.domain.lifecycle.status import overlap_of
from agentidp.domain.resources import CredentialStatus, Retirement, Rotation, SecretHash
from agentidp.domain.resources.meta import parse_duration
from agentidp.domain.secrets.last_used import Uses, fingerprint, latest

GRANULARITY = timedelta(minutes=10)
"""`lastUsedAt` moves in steps of this at least, so that it costs few writes however often a secret is used."""
DEFAULT_MAX_OVERLAP = timedelta(days=30)


def with_uses(status: CredentialStatus, uses: Uses | None) -> CredentialStatus:
    """When each secret, and the credential as a whole, was last used; to some minutes."""
    if not uses:
        return status
    hashes = tuple(_with_use(entry, uses) for entry in status.secret_hashes)
    newest = latest((status.last_used_at, *(entry.last_used_at for entry in hashes)))
    return replace(status, secret_hashes=hashes, last_used_at=newest)


def with_ends_postponed(status: CredentialStatus, gathered: Input, now: datetime) -> CredentialStatus:
    """Later ends for those old secrets that are in use, or may be: a use that is not known yet counts."""
    rotation, hashes = gathered.spec.rotation, status.secret_hashes
    if rotation.retire is not Retirement.WHEN_UNUSED:
        return status
    postponed = tuple(
        _postponed(entry, successor, gathered, now) if entry.not_after and _is_under_review(entry, rotation, now) else entry
        for entry, successor in pairwise(hashes)
    )
    return replace(status, secret_hashes=(*postponed, *hashes[len(postponed) :]))


def next_review(status: CredentialStatus, rotation: Rotation, now: datetime) -> datetime | None:
    """When the end of an old secret must be looked at again."""
    if rotation.retire is not Retirement.WHEN_UNUSED:
        return None
    timestamps = (entry.not_after - overlap_of(rotation) / 2 for entry in status.secret_hashes if entry.not_after)
    return min((timestamp for timestamp in timestamps if timestamp > now), default=None)


def consumers_of_postponed(before: CredentialStatus, after: CredentialStatus, uses: Uses | None) -> tuple[str, ...] | None:
    """Who still uses a secret whose end has moved; None where none has, or nobody has used one since its successor was made."""
    ends = {entry.hash: entry.not_after for entry in before.secret_hashes}
    moved = [
        (entry, successor)
        for entry, successor in pairwise(after.secret_hashes)
        if entry.not_after and (ends.get(entry.hash) or entry.not_after) < entry.not_after
    ]
    if uses is None:
        return () if moved else None
    found = [use for entry, successor in moved if (use := uses.get(fingerprint(entry.hash))) and use.at >= successor.created_at]
    return tuple(dict.fromkeys(consumer for use in found for consumer in use.consumers)) if found else None


def max_overlap_of(rotation: Rotation) -> timedelta:
    """How long an old secret may be kept at most, however much it is used."""
    return parse_duration(rotation.max_overlap) if rotation.max_overlap else DEFAULT_MAX_OVERLAP


def _with_use(entry: SecretHash, uses: Uses) -> SecretHash:
    use = uses.get(fingerprint(entry.hash))
    if use is None or (entry.last_used_at and use.at < entry.last_used_at + GRANULARITY):
        return entry
    return replace(entry, last_used_at=use.at)


def _is_under_review(entry: SecretHash, rotation: Rotation, now: datetime) -> bool:
    return entry.not_after is not None and entry.not_after - overlap_of(rotation) / 2 <= now < entry.not_after


def _postponed(entry: SecretHash, successor: SecretHash, gathered: Input, now: datetime) -> SecretHash:
    """Never ended earlier than it was to be, and never kept beyond the bound."""
    planned, bound = entry.not_after or now, successor.created_at + max_overlap_of(gathered.spec.rotation)
    end = max(planned, min(bound, _end_if_unused(entry, successor, gathered, now)))
    return replace(entry, not_after=end)


def _end_if_unused(entry: SecretHash, successor: SecretHash, gathered: Input, now: datetime) -> datetime:
    """One overlap after the last use that there may be.

    A use is known after `uses_lag`. Until then the next use within the overlap may have happened, so the end waits for it.
    """
    overlap = overlap_of(gathered.spec.rotation)
    if gathered.uses is None:
        return now + overlap + gathered.uses_lag
    use = gathered.uses.get(fingerprint(entry.hash))
    last = max(successor.created_at, use.at) if use else successor.created_at
    return last + overlap + gathered.uses_lag
