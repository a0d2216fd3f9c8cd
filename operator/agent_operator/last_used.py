"""Last use of secrets: polls the replicas of the token service, so token requests cost the operator nothing.

Flows in: the reports of all replicas, each since the former poll. Flows out: the last use of a credential's secrets, and
requests for the credentials that were used. Bounded: the hashes in status, of the credentials that exist. Reports are kept in
memory; status records what must last, and an unknown use counts as a use (`agentidp.domain.lifecycle.retirement`, decision 10).
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

import aiohttp
import jwt
import msgspec
import structlog
from msgspec.structs import replace

from agent_operator.clock import now
from agentidp.domain.resources import Agent, SecretHash
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import USAGE_PATH, LastUse, LastUsedReport, Uses, fingerprint, merged
from agentidp.domain.tokens.access_tokens import TYPE
from agentidp.domain.tokens.signing_keys import KeySet
from agentidp.kube.connection import failure_text
from agentidp.kube.errors import ApiError
from agentidp.runtime.replicas import Replica, replicas_of

ANSWER_TIMEOUT_SECONDS = 5.0
SLACK = 100
"""How many deleted credentials the record may have beyond twice the number of credentials."""
TOKEN_LIFETIME = timedelta(minutes=1)

DAILY_LIMIT_NOTE = (
    "It got no token: the agents of its Organization have had those of this day (spec.limits.tokensPerDay). They get more"
    " after midnight UTC, or when an administrator raises the limit."
)
log = structlog.get_logger()


class LastUsedRecord:
    """The last use of each secret, and the time since which the record is complete."""

    def __init__(self) -> None:
        self._uses: defaultdict[str, dict[str, LastUse]] = defaultdict(dict)
        self._complete_since: datetime | None = None

    def __len__(self) -> int:
        return len(self._uses)

    def uses_of(self, credential_id: str, within: timedelta) -> Uses | None:
        """Return the uses of a credential's secrets; None where the record is not complete for the period `within`."""
        if self._complete_since is None or now() - within < self._complete_since:
            return None
        return self._uses.get(credential_id, {})

    def add(self, report: LastUsedReport) -> None:
        """Add a replica's report. A use in the future, by that replica's clock, counts as a use now."""
        timestamp = now()
        for credential_id, uses in report.uses.items():
            recorded = self._uses[credential_id]
            for key, use in uses.items():
                past = use if use.at <= timestamp else replace(use, at=timestamp)
                recorded[key] = merged(recorded.get(key), past)

    def keep(self, credential_id: str, hashes: Sequence[SecretHash]) -> None:
        """Keep a credential's uses of these hashes only."""
        recorded = self._uses.get(credential_id, {})
        if len(recorded) > len(hashes):
            published = {fingerprint(secret_hash.hash) for secret_hash in hashes}
            self._uses[credential_id] = {key: use for key, use in recorded.items() if key in published}
        if not hashes:
            self._uses.pop(credential_id, None)

    def forget_gone(self, exists: Callable[[str], object], count: int) -> None:
        """Drop the credentials that do not exist, once they outnumber the `count` that do."""
        if len(self._uses) > 2 * count + SLACK:
            for credential_id in [uid for uid in self._uses if not exists(uid)]:
                del self._uses[credential_id]

    def complete_since(self, timestamp: datetime) -> None:
        """Record that all replicas have reported every use since this time."""
        self._complete_since = self._complete_since or timestamp

    def incomplete(self) -> None:
        """Record that a replica did not answer, so its uses are unknown."""
        self._complete_since = None


class DailyLimitEvents:
    """Record one event a day for each agent that was refused because of `spec.limits.tokensPerDay`.

    Several replicas report the same refusal. The token service has no right to write events.
    """

    def __init__(self, agent_of: Callable[[str], Agent | None], tell: Callable[[Agent, Reason, str], None]) -> None:
        self._agent_of = agent_of
        self._record_event = tell
        self._day = date.min
        self._recorded: set[str] = set()

    def add(self, reports: Iterable[LastUsedReport], now: datetime) -> None:
        """Record an event for each agent that the reports name for the first time today."""
        if now.date() != self._day:
            self._day, self._recorded = now.date(), set()
        refused = {agent_id for report in reports for agent_id, at in report.over_daily_limit.items() if at.date() == self._day}
        for agent_id in refused - self._recorded:
            if agent := self._agent_of(agent_id):
                self._recorded.add(agent_id)
                self._record_event(agent, Reason.DAILY_LIMIT_REACHED, DAILY_LIMIT_NOTE)


class LastUsedPoller:
    """Polls all addresses of the token service, and calls `used` with the ids of the credentials that were used."""

    def __init__(
        self,
        urls: Sequence[str],
        last_used: LastUsedRecord,
        authorize: Callable[[], Awaitable[str]],
        used: Callable[[set[str]], None],
        daily_limits: DailyLimitEvents | None = None,
    ) -> None:
        self._urls = urls
        self._last_used = last_used
        self._authorize = authorize
        self._used = used
        self._daily_limits = daily_limits
        self._positions: dict[Replica, tuple[str, int]] = {}
        """The id of the replica at each address, and the position of its last report."""

    async def begin(self) -> None:
        """Poll once before the first decision; without an answer, the last use is unknown."""
        await self._poll_all()

    async def run(self, every: timedelta) -> None:
        """Poll at this interval, without end."""
        while True:
            await asyncio.sleep(every.total_seconds())
            await self._poll_all()

    async def _poll_all(self) -> None:
        try:
            reports = await self._reports()
        except (aiohttp.ClientError, ApiError, OSError, LookupError, ValueError) as error:
            self._last_used.incomplete()
            log.info("the token service did not tell what is in use", why=failure_text(error))
            return
        for report in reports:
            self._last_used.add(report)
        self._last_used.complete_since(max(report.since for report in reports))
        self._used({credential_id for report in reports for credential_id in report.uses})
        if self._daily_limits:
            self._daily_limits.add(reports, now())

    async def _reports(self) -> list[LastUsedReport]:
        """Return the report of every replica."""
        headers = {"Authorization": f"Bearer {await self._authorize()}"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            return await asyncio.gather(*(self._poll(session, replica) for replica in await replicas_of(self._urls)))

    async def _poll(self, session: aiohttp.ClientSession, replica: Replica) -> LastUsedReport:
        replica_id, position = self._positions.get(replica, ("", 0))
        params, headers = {"replica": replica_id, "after": str(position)}, {"Host": replica.host}
        async with session.get(replica.url + USAGE_PATH, params=params, headers=headers) as response:
            response.raise_for_status()
            report = msgspec.json.decode(await response.read(), type=LastUsedReport)
        self._positions[replica] = (report.replica, report.told)
        return report


def bearer_token(keys: KeySet, issuer: str, subject: str, scope: str) -> str:
    """Return the access token (RFC 9068) by which the operator polls the token service. Raises LookupError without a key."""
    issued_at = now()
    key = keys.signing(issued_at)
    if key is None:
        raise LookupError("there is no signing key yet")
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": subject,
        "client_id": subject,
        "scope": scope,
        "jti": str(uuid.uuid4()),
        "iat": issued_at,
        "exp": issued_at + TOKEN_LIFETIME,
    }
    return jwt.encode(claims, key.load(), key.algorithm.value, {"typ": TYPE, "kid": key.kid})
