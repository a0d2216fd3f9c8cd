"""The token request of an agent: client credentials grant (RFC 6749, section 4.4) with `client_secret_basic` (section 2.3.1).

No redirect is followed, because it would send the secret to another server. If a response is not an OAuth response, only its
status is printed, because its body may hold anything.
"""

from http import HTTPStatus
from urllib.parse import quote_plus

import aiohttp
import msgspec
from msgspec import Struct

from agentidp.kube.connection import failure_text
from kubectl_agentidp.errors import CommandError

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


class ClientCredentials(Struct, frozen=True):
    """The client id and secret of an agent, and the token endpoint that accepts them."""

    endpoint: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id} at {self.endpoint})"  # without the secret


class TokenRequest(Struct, frozen=True):
    """Scope and resources of a token request; without a scope the token carries all scopes of the agent."""

    scope: str | None = None
    resources: tuple[str, ...] = ()

    def form(self) -> list[tuple[str, str]]:
        """Return the form parameters; `resource` may be repeated (RFC 8707, section 2)."""
        scope = [("scope", self.scope)] if self.scope is not None else []
        return [("grant_type", "client_credentials"), *scope, *(("resource", uri) for uri in self.resources)]


class TokenResponse(Struct, frozen=True):
    """A successful token response; `body` is the JSON text of it."""

    access_token: str
    body: bytes

    def __repr__(self) -> str:
        return "TokenResponse()"  # without the token


class _SuccessfulResponse(Struct, frozen=True):
    """The required field of a successful response (RFC 6749, section 5.1)."""

    access_token: str


class _ErrorResponse(Struct, frozen=True):
    """The fields of an error response (RFC 6749, section 5.2)."""

    error: str
    error_description: str = ""


async def request_token(client: ClientCredentials, request: TokenRequest) -> TokenResponse:
    """Send a token request, and return the successful response. Raises CommandError."""
    authorization = aiohttp.BasicAuth(quote_plus(client.client_id), quote_plus(client.client_secret))
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as session,
            session.post(client.endpoint, auth=authorization, data=request.form(), allow_redirects=False) as response,
        ):
            return _token_response(client, response, await response.read())
    except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
        raise CommandError(
            f"the token endpoint {client.endpoint} did not answer: {failure_text(error)}",
            "If it is reachable only inside the cluster, forward a port (kubectl port-forward) and name it with --endpoint.",
        ) from error


def _token_response(client: ClientCredentials, response: aiohttp.ClientResponse, body: bytes) -> TokenResponse:
    if response.status != HTTPStatus.OK:
        raise _error_response(client, response, body)
    try:
        return TokenResponse(msgspec.json.decode(body, type=_SuccessfulResponse).access_token, body)
    except msgspec.DecodeError as error:
        raise CommandError(f"{client.endpoint} is not a token endpoint: its answer has no access_token.") from error


def _error_response(client: ClientCredentials, response: aiohttp.ClientResponse, body: bytes) -> CommandError:
    """Return the error of the endpoint. `invalid_client` does not say what is wrong, so the advice names `status`."""
    try:
        refusal = msgspec.json.decode(body, type=_ErrorResponse)
    except msgspec.DecodeError:
        return CommandError(f"{client.endpoint} answered {response.status} {response.reason}: is it a token endpoint?")
    problem = f"no token: {refusal.error} ({response.status}): {refusal.error_description}"
    retry_after = response.headers.get("Retry-After")
    if retry_after:
        return CommandError(problem, f"Try again in {retry_after} s.")
    if refusal.error == "invalid_client":
        return CommandError(
            problem, "`kubectl agentidp status` shows whether the agent is suspended, or the credential has ended."
        )
    return CommandError(problem)
