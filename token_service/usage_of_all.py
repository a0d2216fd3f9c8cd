"""The usage that all processes of this service have seen, told as if they were one."""

from agentidp.domain.usage import USAGE_PATH, Report, Use, merged
from token_service.peers import Peers
from token_service.usage import UsageLog

BETWEEN_REPLICAS = ":"


class UsageOfAll:
    """Its replica's id is made of theirs.

    Places are nanoseconds of the machine's monotonic clock, which means the same to all of them.
    """

    def __init__(self, own: UsageLog, peers: Peers) -> None:
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
        params = [{"replica": one, "after": str(after)} for one in replicas[1:]]
        return _together([own, *await self._peers.ask(USAGE_PATH, params, authorization, Report)])


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
