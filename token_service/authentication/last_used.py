"""Which secrets were used when, for the operator: a few bytes a secret, however often it is used.

A secret in use is noted once a minute. One that is being retired is noted each second and with its consumers, because that is
who has to be told.
"""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from agentidp.domain.identity.clients import ClientHash
from agentidp.domain.secrets.last_used import MAX_CONSUMERS, LastUse, LastUsedReport, fingerprint
from token_service.http.request import RawRequest

MAX_CONSUMER_LENGTH = 120
SECONDS_BETWEEN_NOTES = 60
SPARE = 100
"""So many notes, and as many again as are needed, may be there of hashes that are not published any more."""

IsPublished = Callable[[str, str], bool]
"""Whether this hash of this credential is, as far as is known here."""


class _Note(msgspec.Struct, gc=False):
    at: int
    place: int
    consumers: dict[str, None]


class LastUsedLog:
    """What this replica has seen since it began."""

    def __init__(self, clock: Callable[[], float], is_published: IsPublished) -> None:
        self._clock = clock
        self._is_published = is_published
        self._replica = uuid.uuid4().hex
        self._since = datetime.fromtimestamp(clock(), UTC)
        self._notes: dict[tuple[str, str], _Note] = {}
        self._needed = 0
        """How many notes there were when they were last looked through."""

    def __len__(self) -> int:
        return len(self._notes)

    def used(self, credential_id: str, one: ClientHash, sent: RawRequest) -> None:
        """This hash has just accepted the secret that was sent."""
        now = int(self._clock())
        note = self._notes.get((credential_id, one.hash))
        if note is not None and one.not_after is None and now < note.at + SECONDS_BETWEEN_NOTES:
            return
        place = time.monotonic_ns()
        if note is None:
            self._forget(now)
            note = self._notes[credential_id, one.hash] = _Note(now, place, {})
        note.at, note.place = now, place
        if one.not_after is not None:
            _remember(note.consumers, consumer_of(sent))

    def report(self, replica: str, after: int) -> LastUsedReport:
        """All that was used after what this replica has told already; to another's id it tells everything."""
        told = after if replica == self._replica else 0
        place = time.monotonic_ns()
        uses: dict[str, dict[str, LastUse]] = {}
        for (credential_id, hashed), note in self._notes.items():
            if note.place > told:
                use = LastUse(datetime.fromtimestamp(note.at, UTC), tuple(reversed(note.consumers)))
                uses.setdefault(credential_id, {})[fingerprint(hashed)] = use
        return LastUsedReport(replica=self._replica, since=self._since, told=place, uses=uses)

    def _forget(self, now: int) -> None:
        """What is not published any more, now and then; what was used just now may be published, and not known here yet."""
        if len(self._notes) > 2 * self._needed + SPARE:
            recent = now - SECONDS_BETWEEN_NOTES
            self._notes = {key: note for key, note in self._notes.items() if note.at > recent or self._is_published(*key)}
            self._needed = len(self._notes)


def consumer_of(sent: RawRequest) -> str:
    """Who sent it, as far as a person can find them by it: the address and the user agent."""
    agent = (sent.user_agent or b"").decode("latin-1")
    told = f"{sent.address} ({agent})" if agent else sent.address
    return "".join(one if one.isprintable() else "?" for one in told)[:MAX_CONSUMER_LENGTH]


def _remember(consumers: dict[str, None], consumer: str) -> None:
    """The latest comes last; the one that was not seen for longest goes."""
    consumers.pop(consumer, None)
    consumers[consumer] = None
    if len(consumers) > MAX_CONSUMERS:
        del consumers[next(iter(consumers))]
