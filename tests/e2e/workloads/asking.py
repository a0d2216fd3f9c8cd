"""A workload that asks for tokens until it is told to stop, and tells each second how that went, as a line of JSON.

`asking.py PER_SECOND FOLDER …`: each folder is a mounted Secret, whose files are read anew for each request. Every other
request is made over a connection of its own, as by a command line; the others share connections that stay open.
"""

import asyncio
import hashlib
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=15)
GRANT = {"grant_type": "client_credentials"}


@dataclass
class Tally:
    """What has become of the requests; of a secret only how often it changed is told."""

    asked: int = 0
    served: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    secrets: dict[str, set[bytes]] = field(default_factory=dict)

    def tell(self) -> None:
        """One line."""
        seen = {folder: len(secrets) for folder, secrets in self.secrets.items()}
        line = {"asked": self.asked, "served": self.served, "failed": self.failed, "secrets": seen}
        print(json.dumps(line), flush=True)


async def main(per_second: float, folders: list[str]) -> None:
    """Until SIGTERM; requests that are under way are waited for."""
    stop, tally = asyncio.Event(), Tally()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as kept,
        aiohttp.ClientSession(timeout=TIMEOUT, connector=aiohttp.TCPConnector(force_close=True)) as fresh,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(_tell_each_second(tally, stop))
        began, number = time.monotonic(), 0
        while not stop.is_set():
            session, folder = (kept, fresh)[number % 2], folders[number // 2 % len(folders)]
            tasks.create_task(_ask(session, Path(folder), tally))
            number += 1
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
    tally.tell()


async def _ask(session: aiohttp.ClientSession, folder: Path, tally: Tally) -> None:
    client, secret, endpoint = ((folder / key).read_text() for key in ("client_id", "client_secret", "token_endpoint"))
    tally.secrets.setdefault(str(folder), set()).add(hashlib.sha256(secret.encode()).digest())
    tally.asked += 1
    try:
        async with session.post(endpoint, data=GRANT, auth=aiohttp.BasicAuth(client, secret)) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        tally.failed[type(error).__name__] += 1
        print(time.strftime("%H:%M:%S"), type(error).__name__, error, file=sys.stderr, flush=True)
        return
    if answer.status == HTTPStatus.OK:
        tally.served += 1
    else:
        tally.failed[str(answer.status)] += 1


async def _tell_each_second(tally: Tally, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(1)
        tally.tell()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
