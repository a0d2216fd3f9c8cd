"""When secrets were last used, as the replicas of the token service tell: asked now and then, so traffic costs nothing here.

Each replica tells what was used since it was last asked. The answers are kept in memory only: what is worth keeping of them is
in status, and what is not known counts as used (see `agentidp.domain.lifecycle.retirement`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

import aiohttp
import msgspec
import structlog
from msgspec.structs import replace

from agent_operator.clock import now
from agentidp.domain.resources import Agent, SecretHash
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import USAGE_PATH, LastUse, LastUsedReport, Uses, fingerprint, merged
from agentidp.kube.connection import failure_text
from agentidp.kube.errors import ApiError
from agentidp.runtime.replicas import Replica, replicas_of

SECONDS_FOR_AN_ANSWER = 5.0
SPARE = 100
"""So many credentials that are gone, and as many again as there are, may be remembered."""

DAILY_LIMIT_NOTE = (
    "It got no token: the agents of its Organization have had those of this day (spec.limits.tokensPerDay). They get more"
    " after midnight UTC, or when an administrator raises the limit."
)
log = structlog.get_logger()


class LastUsedRecord:
    """The last use of each secret, and since when every use is in here."""

    def __init__(self) -> None:
        self._uses: defaultdict[str, dict[str, LastUse]] = defaultdict(dict)
        self._complete_since: datetime | None = None

    def __len__(self) -> int:
        return len(self._uses)

    def uses_of(self, credential_id: str, within: timedelta) -> Uses | None:
        """The uses of a credential's secrets; None where not every use of this last while would be known."""
        if self._complete_since is None or now() - within < self._complete_since:
            return None
        return self._uses.get(credential_id, {})

    def add(self, report: LastUsedReport) -> None:
        """What one replica told; a use that it says is yet to come, by its clock or a lie, is one of now."""
        moment = now()
        for credential_id, uses in report.uses.items():
            known = self._uses[credential_id]
            for one, use in uses.items():
                past = use if use.at <= moment else replace(use, at=moment)
                known[one] = merged(known.get(one), past)

    def keep(self, credential_id: str, hashes: Sequence[SecretHash]) -> None:
        """Of a credential only the uses of these, where there are more: nobody asks for those of others any more."""
        known = self._uses.get(credential_id, {})
        if len(known) > len(hashes):
            published = {fingerprint(one.hash) for one in hashes}
            self._uses[credential_id] = {one: use for one, use in known.items() if one in published}
        if not hashes:
            self._uses.pop(credential_id, None)

    def forget_gone(self, exists: Callable[[str], object], count: int) -> None:
        """The credentials that do not exist, of which there are so many in all: now and then, since most do."""
        if len(self._uses) > 2 * count + SPARE:
            for credential_id in [one for one in self._uses if not exists(one)]:
                del self._uses[credential_id]

    def complete_since(self, moment: datetime) -> None:
        """All replicas have told all that they know, which goes back to this moment."""
        self._complete_since = self._complete_since or moment

    def incomplete(self) -> None:
        """A replica did not answer: what it has seen is not known."""
        self._complete_since = None


class DailyLimitEvents:
    """One event for each agent that got no token because its organization had had those of the day.

    However many replicas report it, and however often. The token service has no right to write events.
    """

    def __init__(self, agent_of: Callable[[str], Agent | None], tell: Callable[[Agent, Reason, str], None]) -> None:
        self._agent_of = agent_of
        self._tell = tell
        self._day = date.min
        self._told: set[str] = set()

    def add(self, reports: Iterable[LastUsedReport], now: datetime) -> None:
        """What replicas have just told; what happened on another day is no news."""
        if now.date() != self._day:
            self._day, self._told = now.date(), set()
        refused = {agent_id for report in reports for agent_id, at in report.over_daily_limit.items() if at.date() == self._day}
        for agent_id in refused - self._told:
            if agent := self._agent_of(agent_id):
                self._told.add(agent_id)
                self._tell(agent, Reason.DAILY_LIMIT_REACHED, DAILY_LIMIT_NOTE)


class LastUsedPoller:
    """Asks all addresses of the token service, and says which credentials they told of."""

    def __init__(
        self,
        urls: Sequence[str],
        book: LastUsedRecord,
        authorize: Callable[[], Awaitable[str]],
        used: Callable[[set[str]], None],
        daily_limits: DailyLimitEvents | None = None,
    ) -> None:
        self._urls = urls
        self._book = book
        self._authorize = authorize
        self._used = used
        self._daily_limits = daily_limits
        self._told: dict[Replica, tuple[str, int]] = {}
        """The replica at each address, and how far it has told."""

    async def begin(self) -> None:
        """Ask once, before anything is decided; that nobody answers is an answer, too."""
        await self._ask_all()

    async def run(self, every: timedelta) -> None:
        """Ask again and again, for ever."""
        while True:
            await asyncio.sleep(every.total_seconds())
            await self._ask_all()

    async def _ask_all(self) -> None:
        try:
            reports = await self._reports()
        except (aiohttp.ClientError, ApiError, OSError, LookupError, ValueError) as trouble:
            self._book.incomplete()
            log.info("the token service did not tell what is in use", why=failure_text(trouble))
            return
        for report in reports:
            self._book.add(report)
        self._book.complete_since(max(report.since for report in reports))
        self._used({one for report in reports for one in report.uses})
        if self._daily_limits:
            self._daily_limits.add(reports, now())

    async def _reports(self) -> list[LastUsedReport]:
        """Of every replica."""
        headers = {"Authorization": f"Bearer {await self._authorize()}"}
        timeout = aiohttp.ClientTimeout(total=SECONDS_FOR_AN_ANSWER)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            return await asyncio.gather(*(self._ask(session, replica) for replica in await replicas_of(self._urls)))

    async def _ask(self, session: aiohttp.ClientSession, replica: Replica) -> LastUsedReport:
        replica_id, told = self._told.get(replica, ("", 0))
        params, headers = {"replica": replica_id, "after": str(told)}, {"Host": replica.host}
        async with session.get(replica.url + USAGE_PATH, params=params, headers=headers) as response:
            response.raise_for_status()
            report = msgspec.json.decode(await response.read(), type=LastUsedReport)
        self._told[replica] = (report.replica, report.told)
        return report
