"""A token request as an agent makes it: RFC 6749, section 4.4, with the client's secret in HTTP Basic (section 2.3.1).

A redirection is not followed: it would carry the secret to another place. Of an answer that is no OAuth answer only the status
is told, because nobody knows what is in it.
"""

from http import HTTPStatus
from urllib.parse import quote_plus

import aiohttp
import msgspec
from msgspec import Struct

from agentidp.kube.connection import why_unreachable
from kubectl_agentidp.errors import CommandError

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


class Client(Struct, frozen=True):
    """Who asks, and where."""

    endpoint: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Client({self.client_id} at {self.endpoint})"


class Wish(Struct, frozen=True):
    """What the token should carry; all that the agent may have where nothing is said."""

    scope: str | None = None
    resources: tuple[str, ...] = ()

    def form(self) -> list[tuple[str, str]]:
        """As it is sent (RFC 8707, section 2, for `resource`)."""
        scope = [("scope", self.scope)] if self.scope is not None else []
        return [("grant_type", "client_credentials"), *scope, *(("resource", one) for one in self.resources)]


class Answer(Struct, frozen=True):
    """A token answer; `body` is the whole of it."""

    access_token: str
    body: bytes

    def __repr__(self) -> str:
        """Without the token."""
        return "Answer()"


class _Granted(Struct, frozen=True):
    """RFC 6749, section 5.1."""

    access_token: str


class _Refused(Struct, frozen=True):
    """RFC 6749, section 5.2."""

    error: str
    error_description: str = ""


async def request_token(client: Client, wish: Wish) -> Answer:
    """The answer with a token. Raises Failure."""
    authorization = aiohttp.BasicAuth(quote_plus(client.client_id), quote_plus(client.client_secret))
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as session,
            session.post(client.endpoint, auth=authorization, data=wish.form(), allow_redirects=False) as response,
        ):
            return _granted(client, response, await response.read())
    except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
        raise CommandError(
            f"the token endpoint {client.endpoint} did not answer: {why_unreachable(error)}",
            "If it is reachable only inside the cluster, forward a port (kubectl port-forward) and name it with --endpoint.",
        ) from error


def _granted(client: Client, response: aiohttp.ClientResponse, body: bytes) -> Answer:
    if response.status != HTTPStatus.OK:
        raise _refusal(client, response, body)
    try:
        return Answer(msgspec.json.decode(body, type=_Granted).access_token, body)
    except msgspec.DecodeError as error:
        raise CommandError(f"{client.endpoint} is not a token endpoint: its answer has no access_token.") from error


def _refusal(client: Client, response: aiohttp.ClientResponse, body: bytes) -> CommandError:
    """In the words of the endpoint; it does not say which part of a client was wrong, but the status of the resources does."""
    try:
        refused = msgspec.json.decode(body, type=_Refused)
    except msgspec.DecodeError:
        return CommandError(f"{client.endpoint} answered {response.status} {response.reason}: is it a token endpoint?")
    problem = f"no token: {refused.error} ({response.status}): {refused.error_description}"
    later = response.headers.get("Retry-After")
    if later:
        return CommandError(problem, f"Try again in {later} s.")
    if refused.error == "invalid_client":
        return CommandError(
            problem, "`kubectl agentidp status` tells whether its agent is suspended, or the credential has ended."
        )
    return CommandError(problem)
