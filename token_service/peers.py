"""The other processes of this service, each by a loopback address of its own: what only they know is asked of them."""

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec

from agentidp.domain.usage import USAGE_PATH, Report, Use, merged
from token_service.usage import UsageLog

TIMEOUT = aiohttp.ClientTimeout(total=3)
BETWEEN_REPLICAS = ":"


class PeersUnknown(Exception):
    """One of the other processes did not tell."""


class UsageOfAll:
    """The usage that all processes have seen, told as if they were one: its id is made of theirs.

    Places are nanoseconds of the machine's monotonic clock, which means the same to all of them.
    """

    def __init__(self, own: UsageLog, peers: Sequence[str] = ()) -> None:
        self._own = own
        self._peers = peers

    def of_this_process(self, replica: str, after: int) -> Report:
        """What a peer asks for."""
        return self._own.report(replica, after)

    async def of_all(self, replica: str, after: int, authorization: str) -> Report:
        """All that was used after what was told already. Raises PeersUnknown."""
        replicas = replica.split(BETWEEN_REPLICAS)
        if len(replicas) != 1 + len(self._peers):
            replicas = [""] * (1 + len(self._peers))
        own = self._own.report(replicas[0], after)
        if not self._peers:
            return own
        try:
            async with aiohttp.ClientSession(headers={"Authorization": authorization}, timeout=TIMEOUT) as session:
                questions = (_ask(session, *peer, after) for peer in zip(self._peers, replicas[1:], strict=True))
                return _together([own, *await asyncio.gather(*questions)])
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as trouble:
            raise PeersUnknown from trouble


async def _ask(session: aiohttp.ClientSession, peer: str, replica: str, after: int) -> Report:
    params = {"replica": replica, "after": str(after), "own": "true"}
    async with session.get(peer + USAGE_PATH, params=params) as response:
        response.raise_for_status()
        return msgspec.json.decode(await response.read(), type=Report)


def _together(reports: list[Report]) -> Report:
    uses: dict[str, dict[str, Use]] = {}
    for report in reports:
        for credential_id, told in report.uses.items():
            known = uses.setdefault(credential_id, {})
            for fingerprint, use in told.items():
                known[fingerprint] = merged(known.get(fingerprint), use)
    return Report(
        replica=BETWEEN_REPLICAS.join(report.replica for report in reports),
        since=max(report.since for report in reports),
        told=min(report.told for report in reports),
        uses=uses,
    )
