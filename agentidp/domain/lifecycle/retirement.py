"""Retiring an old secret only when nobody uses it any more (`spec.rotation.retire: WhenUnused`).

An old secret's end is reviewed when half of its overlap is left. If it was used since it could have been forgotten, or if that
is not known, its end moves to one overlap after the last use, but never beyond `maxOverlap` after its successor was made.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

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
    hashes = tuple(_with_use(one, uses) for one in status.secret_hashes)
    newest = latest((status.last_used_at, *(one.last_used_at for one in hashes)))
    return replace(status, secret_hashes=hashes, last_used_at=newest)


def with_ends_postponed(status: CredentialStatus, rotation: Rotation, uses: Uses | None, now: datetime) -> CredentialStatus:
    """Later ends for those old secrets that are still in use; `uses` None means that nobody knows."""
    if rotation.retire is not Retirement.WHEN_UNUSED:
        return status
    hashes = status.secret_hashes
    bounds = (later.created_at + max_overlap_of(rotation) for later in hashes[1:])
    postponed = tuple(
        replace(one, not_after=min(bound, _wanted_end(one, rotation, uses, now)))
        if one.not_after and _is_under_review(one, rotation, now) and one.not_after < bound
        else one
        for one, bound in zip(hashes, bounds, strict=False)
    )
    return replace(status, secret_hashes=(*postponed, *hashes[len(postponed) :]))


def next_review(status: CredentialStatus, rotation: Rotation, now: datetime) -> datetime | None:
    """When the end of an old secret must be looked at again."""
    if rotation.retire is not Retirement.WHEN_UNUSED:
        return None
    moments = (one.not_after - overlap_of(rotation) / 2 for one in status.secret_hashes if one.not_after)
    return min((moment for moment in moments if moment > now), default=None)


def consumers_of_postponed(before: CredentialStatus, after: CredentialStatus, uses: Uses | None) -> tuple[str, ...] | None:
    """Who still uses a secret whose end has moved; None where none has."""
    ends = {one.hash: one.not_after for one in before.secret_hashes}
    moved = [one for one in after.secret_hashes if one.not_after and (ends.get(one.hash) or one.not_after) < one.not_after]
    if not moved:
        return None
    found = (uses[key] for one in moved if uses and (key := fingerprint(one.hash)) in uses)
    return tuple(dict.fromkeys(consumer for use in found for consumer in use.consumers))


def max_overlap_of(rotation: Rotation) -> timedelta:
    """How long an old secret may be kept at most, however much it is used."""
    return parse_duration(rotation.max_overlap) if rotation.max_overlap else DEFAULT_MAX_OVERLAP


def _with_use(one: SecretHash, uses: Uses) -> SecretHash:
    use = uses.get(fingerprint(one.hash))
    if use is None or (one.last_used_at and use.at < one.last_used_at + GRANULARITY):
        return one
    return replace(one, last_used_at=use.at)


def _is_under_review(one: SecretHash, rotation: Rotation, now: datetime) -> bool:
    return one.not_after is not None and one.not_after - overlap_of(rotation) / 2 <= now < one.not_after


def _wanted_end(one: SecretHash, rotation: Rotation, uses: Uses | None, now: datetime) -> datetime:
    """One overlap after the last use; what is not known counts as used now. Never earlier than it is."""
    planned = one.not_after or now
    if uses is None:
        return max(planned, now + overlap_of(rotation))
    use = uses.get(fingerprint(one.hash))
    return max(planned, use.at + overlap_of(rotation)) if use else planned
