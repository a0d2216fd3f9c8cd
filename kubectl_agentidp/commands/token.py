"""`token`: get an access token as the agent does, with the credential's Secret.

It is the only command that prints a secret: the token.
"""

import base64
from argparse import Namespace

import msgspec

from agentidp.domain.resources import AgentCredential, Secret
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from kubectl_agentidp.arguments import Commands, http_url
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import show
from kubectl_agentidp.token_request import ClientCredentials, TokenRequest, request_token
from kubectl_agentidp.views.conditions import readiness

SUMMARY = "Get an access token with a credential's Secret, and print it."
DETAILS = (
    "It sends the request to the token endpoint that the Secret names, or to --endpoint, such as a forwarded port. No other"
    " command prints a secret. Needs get on agentcredentials and on the Secret."
)
EXAMPLES = (
    "token screener",
    "token screener --claims",
    "token screener -o json --scope resumes:read",
    "token screener --endpoint http://127.0.0.1:8080/api/v1/token",
)


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add("token", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("name", metavar="CREDENTIAL")
    parser.add_argument("--endpoint", type=http_url, metavar="URL", help="the token endpoint; default: the one in the Secret")
    parser.add_argument("--scope", help="scopes, separated by spaces; default: all scopes of the agent")
    parser.add_argument(
        "--resource", action="append", default=[], metavar="URI", help="audience of the token (RFC 8707); repeatable"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-o", "--output", choices=["json"], help="print the token response as JSON")
    form.add_argument("--claims", action="store_true", help="print header and claims of the token, not verified")


async def run(client: PluginClient, options: Namespace) -> None:
    """Read the client credentials from the Secret, request a token, and print it."""
    credential = await client.get(CREDENTIALS, options.name)
    secret = await client.get(SECRETS, _secret_name(credential))
    request = TokenRequest(options.scope, tuple(options.resource))
    response = await request_token(_client_credentials(credential, secret, options.endpoint), request)
    if options.output:
        show(_indented(response.body))
    else:
        show(token_content(response.access_token) if options.claims else response.access_token)


def token_content(token: str) -> str:
    """Return header and claims of a JWT (RFC 7519) as indented JSON, not verified. Raises CommandError for any other token."""
    try:
        header, claims, _ = token.split(".")
        content = {"header": _decode(header), "claims": _decode(claims)}
    except ValueError as error:  # the base class of the errors of base64 and JSON, too
        raise CommandError("the token is not a JWT: it has no claims to show.") from error
    return _indented(msgspec.json.encode(content))


def _decode(part: str) -> object:
    return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _indented(body: bytes) -> str:
    return msgspec.json.format(body, indent=2).decode()


def _secret_name(credential: AgentCredential) -> str:
    """Return the name of the Secret with the client credentials. Raises CommandError if there is none."""
    if credential.status.binding:
        return credential.status.binding.name
    if credential.spec.secret_hash:
        raise CommandError(
            f"AgentCredential {credential.key} has a provided hash.", "No Secret in the cluster holds the client secret."
        )
    state = readiness(credential)
    raise CommandError(
        f"AgentCredential {credential.key} has no Secret. {state.phase or 'Pending'}: {state.message}",
        "There is nothing to get a token with.",
    )


def _client_credentials(credential: AgentCredential, secret: Secret, endpoint: str | None) -> ClientCredentials:
    keys = credential.spec.secret.keys
    endpoint = endpoint or _value(secret, keys.token_endpoint)
    return ClientCredentials(endpoint, _value(secret, keys.client_id), _value(secret, keys.client_secret))


def _value(secret: Secret, key: str) -> str:
    value = secret.data.get(key)
    if value is None:
        raise CommandError(
            f"Secret {secret.key} has no key {key!r}.", "The operator repairs the Secret while it runs; try again."
        )
    return value.decode(errors="replace")
