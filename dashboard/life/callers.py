"""Callers of the management API: a pipeline that looks, and one that changes something."""

from collections.abc import Sequence
from http import HTTPStatus
from itertools import cycle
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.stage.workload import GRANT, ClientCredentials
from dashboard.life.pace import chance, pause, pause_with_the_tide

LOOKS_A_SECOND = 3.0
CHANGES_A_SECOND = 0.3
STRANGERS = 15
"""Of so many looks one is without a token."""


class Callers:
    """Both have tokens of one agent; whatever they are answered, they go on."""

    def __init__(self, url: str, token_endpoint: str, client_credentials: ClientCredentials, agent_ids: Sequence[str]) -> None:
        self._base = f"{url}/api/v1/agents"
        self._token_endpoint = token_endpoint
        self._pair = client_credentials
        self._agent_ids = cycle(agent_ids)

    async def look(self) -> None:
        """Lists and single agents, now and then one that there is not, or without a token."""
        async with aiohttp.ClientSession() as session:
            headers = await self._headers(session)
            while True:
                agent_id = next(self._agent_ids)
                path = chance.choice(("", f"/{agent_id}", f"/{agent_id}", f"/{agent_id}/credentials", f"/{uuid4()}"))
                stranger = chance.randrange(STRANGERS) == 0
                await self._ask(session, "GET", path, {} if stranger else headers)
                await pause_with_the_tide(LOOKS_A_SECOND)

    async def change(self) -> None:
        """A credential is generated, rotated and revoked, of one agent after the other."""
        async with aiohttp.ClientSession() as session:
            headers = await self._headers(session)
            while True:
                path = f"/{next(self._agent_ids)}/credentials"
                made = await self._ask(session, "POST", path, headers, {})
                if credential_id := made.get("credentialId"):
                    await self._ask(session, "POST", f"{path}/{credential_id}/rotate", headers, {})
                    await self._ask(session, "DELETE", f"{path}/{credential_id}", headers)
                await pause(CHANGES_A_SECOND)

    async def _headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        async with session.post(self._token_endpoint, data=GRANT | self._pair._asdict()) as answer:
            answer.raise_for_status()
            return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> dict[str, Any]:
        """The answer, empty where there is none or it has no body."""
        try:
            async with session.request(method, self._base + path, headers=headers, json=body) as answer:
                return {} if answer.status == HTTPStatus.NO_CONTENT else dict(await answer.json())
        except (aiohttp.ClientError, TimeoutError):
            return {}
