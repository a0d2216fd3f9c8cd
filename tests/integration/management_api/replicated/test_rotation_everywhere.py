"""The instant the 200 of a rotation arrives, every replica refuses the old secret and accepts the new one.

ROTATIONS=500 rotates so many times; fewer by default, because each costs bcrypt four times.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import httpx

from tests.support.objects import Objects
from tests.support.replicated import REPLICAS, Client, Stage
from tests.support.workload import GRANT, Pair

ROTATIONS = int(os.environ.get("ROTATIONS", "60"))
AT_ONCE = 5

AS_PROMISED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.OK)
"""What a replica answers to the old secret, and to the new one."""


async def test_rotation_is_in_effect_everywhere_when_it_is_answered(
    stage: Stage, objects: Objects, tell: Callable[[str], None]
) -> None:
    """Agents rotate side by side, and every secret was in use at every replica before it is rotated."""
    clients = [await asyncio.to_thread(Client.new, stage, objects) for _ in range(AT_ONCE)]
    seen: Counter[tuple[int, int]] = Counter()
    async with httpx.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(rotate_again_and_again(http, one, ROTATIONS // AT_ONCE, seen) for one in clients))
    rotations = ROTATIONS // AT_ONCE * AT_ONCE
    right = f"{seen[AS_PROMISED]} of {REPLICAS * rotations} answers of {REPLICAS} replicas"
    tell(f"{rotations} rotations: {right} were as promised when the 200 arrived")
    assert seen == {AS_PROMISED: REPLICAS * rotations}


async def rotate_again_and_again(http: httpx.AsyncClient, client: Client, times: int, seen: Counter[tuple[int, int]]) -> None:
    """And ask every replica about both secrets as soon as each answer is there."""
    credential_id, old = await asyncio.to_thread(client.generate)
    url = f"{client.api.client.base_url}agents/{client.agent_id}/credentials/{credential_id}/rotate"
    for _ in range(times):
        answer = await http.post(url, headers=client.api.client.headers, json={})
        new = client.pair(answer)
        at_each = zip(client.stage.at_each(old), client.stage.at_each(new), strict=True)
        seen.update(await asyncio.gather(*(statuses(http, *both) for both in at_each)))
        old = new


async def statuses(http: httpx.AsyncClient, old: Pair, new: Pair) -> tuple[int, int]:
    """What one replica answers to both, asked at the same moment."""
    to_old, to_new = await asyncio.gather(status(http, old), status(http, new))
    return to_old, to_new


async def status(http: httpx.AsyncClient, pair: Pair) -> int:
    """Of the answer to a token request."""
    answer = await http.post(pair.token_endpoint, data=GRANT, auth=(pair.client_id, pair.client_secret))
    return answer.status_code
