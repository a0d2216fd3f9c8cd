"""Last uses of secrets, for the operator: a note of a few bytes for each hash, however often its secret is used.

A secret in use is noted once a minute. A secret that is being retired is noted each second and with its consumers, because its
owner has to find them.
"""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from agentidp.domain.identity.clients import ClientHash
from agentidp.domain.secrets.last_used import MAX_CONSUMERS, LastUse, LastUsedReport, fingerprint
from token_service.http.request import RawRequest
from token_service.limits import LIMITS, Limits

SECONDS_PER_DAY = 86_400
MAX_CONSUMER_LENGTH = 120
"""Characters of a consumer."""

IsPublished = Callable[[str, str], bool]
"""Whether the cluster cache has this hash of this credential."""


class _Note(msgspec.Struct, gc=False):
    """The last use of a hash at a timestamp in seconds; `sequence` orders notes by their last change."""

    timestamp: int
    sequence: int
    consumers: dict[str, None]


class LastUsedLog:
    """The last uses that this replica has noted since its start."""

    def __init__(self, clock: Callable[[], float], is_published: IsPublished, limits: Limits = LIMITS) -> None:
        self._clock = clock
        self._is_published = is_published
        self._seconds_between = limits.seconds_between_notes
        self._slack = limits.last_used_slack
        self._replica = uuid.uuid4().hex
        self._since = datetime.fromtimestamp(clock(), UTC)
        self._notes: dict[tuple[str, str], _Note] = {}
        self._over_daily_limit: dict[str, tuple[int, int]] = {}
        """By agent id: the timestamp and the sequence of its first rejection of the day by a daily limit."""
        self._kept = 0
        """The number of notes that the last removal has kept."""

    def __len__(self) -> int:
        return len(self._notes)

    def used(self, credential_id: str, hashed: ClientHash, request: RawRequest) -> None:
        """Note that this hash has just accepted the secret of a request."""
        now = int(self._clock())
        note = self._notes.get((credential_id, hashed.hash))
        if note is not None and hashed.not_after is None and now < note.timestamp + self._seconds_between:
            return
        sequence = time.monotonic_ns()
        if note is None:
            self._remove_unpublished(now)
            note = self._notes[credential_id, hashed.hash] = _Note(now, sequence, {})
        note.timestamp, note.sequence = now, sequence
        if hashed.not_after is not None:
            _add_consumer(note.consumers, consumer_of(request))

    def over_daily_limit(self, agent_id: str) -> None:
        """Note that an agent was refused a token for the first time today; those of the days before are forgotten."""
        now = int(self._clock())
        oldest = next(iter(self._over_daily_limit.values()), (now, 0))[0]
        if oldest // SECONDS_PER_DAY != now // SECONDS_PER_DAY:
            self._over_daily_limit = {}
        self._over_daily_limit[agent_id] = now, time.monotonic_ns()

    def report(self, replica: str, after: int) -> LastUsedReport:
        """All uses after those of an earlier report of this replica; all uses, where the id is another replica's."""
        reported = after if replica == self._replica else 0
        sequence = time.monotonic_ns()
        uses: dict[str, dict[str, LastUse]] = {}
        for (credential_id, hashed), note in self._notes.items():
            if note.sequence > reported:
                use = LastUse(datetime.fromtimestamp(note.timestamp, UTC), tuple(reversed(note.consumers)))
                uses.setdefault(credential_id, {})[fingerprint(hashed)] = use
        over_daily_limit = {
            agent_id: datetime.fromtimestamp(timestamp, UTC)
            for agent_id, (timestamp, noted) in self._over_daily_limit.items()
            if noted > reported
        }
        return LastUsedReport(
            replica=self._replica, since=self._since, told=sequence, uses=uses, over_daily_limit=over_daily_limit
        )

    def _remove_unpublished(self, now: int) -> None:
        """Remove notes of hashes that are not published any more, whenever there are twice as many as were kept.

        A hash that was used just now may be published though the cluster cache does not have it yet.
        """
        if len(self._notes) > 2 * self._kept + self._slack:
            recent = now - self._seconds_between
            self._notes = {
                key: note for key, note in self._notes.items() if note.timestamp > recent or self._is_published(*key)
            }
            self._kept = len(self._notes)


def consumer_of(request: RawRequest) -> str:
    """The address and the user agent of a request, as a person can find its sender by them: printable, and not long."""
    user_agent = (request.user_agent or b"").decode("latin-1")
    consumer = f"{request.address} ({user_agent})" if user_agent else request.address
    return "".join(character if character.isprintable() else "?" for character in consumer)[:MAX_CONSUMER_LENGTH]


def _add_consumer(consumers: dict[str, None], consumer: str) -> None:
    """Put the consumer last, and drop the one that was last seen before all others where there are too many."""
    consumers.pop(consumer, None)
    consumers[consumer] = None
    if len(consumers) > MAX_CONSUMERS:
        del consumers[next(iter(consumers))]
