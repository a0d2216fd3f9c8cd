"""Workload: token requests with client credentials, over a connection that stays open (RFC 6749, section 4.4)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple

import aiohttp

from agentidp.domain.resources import Secret

GRANT = {"grant_type": "client_credentials"}


class ClientCredentials(NamedTuple):
    """The id and secret that authenticate a client."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Not the secret."""
        return f"ClientCredentials({self.client_id})"


def client_credentials_in(secret: Secret) -> ClientCredentials:
    """Of a Secret with the default keys."""
    return ClientCredentials(secret.data["client_id"].decode(), secret.data["client_secret"].decode())


class Workload:
    """A client that sends token requests."""

    def __init__(self, session: aiohttp.ClientSession, token_endpoint: str) -> None:
        self._session = session
        self._endpoint = token_endpoint

    async def status(self, client_credentials: ClientCredentials) -> int:
        """Of the answer to one request."""
        async with self._session.post(self._endpoint, data=GRANT, auth=aiohttp.BasicAuth(*client_credentials)) as answer:
            await answer.read()
            return answer.status

    async def is_served(self, client_credentials: ClientCredentials) -> bool:
        """Whether a token is given now. Raises RuntimeError for an answer that is neither that nor a refusal."""
        status = await self.status(client_credentials)
        if status not in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
            raise RuntimeError(f"the token service answered {status}")
        return status == HTTPStatus.OK

    async def token(self, client_credentials: ClientCredentials) -> str:
        """Request a token, and return it."""
        async with self._session.post(self._endpoint, data=GRANT, auth=aiohttp.BasicAuth(*client_credentials)) as answer:
            answer.raise_for_status()
            told: str = (await answer.json())["access_token"]
            return told

    async def is_active(self, client_credentials: ClientCredentials, token: str) -> bool:
        """What introspection says of a token (RFC 7662)."""
        form, auth = {"token": token}, aiohttp.BasicAuth(*client_credentials)
        async with self._session.post(f"{self._endpoint}/introspect", data=form, auth=auth) as answer:
            answer.raise_for_status()
            active: bool = (await answer.json())["active"]
            return active


@asynccontextmanager
async def workload(token_endpoint: str) -> AsyncIterator[Workload]:
    """With a connection of its own."""
    async with aiohttp.ClientSession() as session:
        yield Workload(session, token_endpoint)
