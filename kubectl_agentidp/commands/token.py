"""`token`: an access token, got as the agent itself gets it, for whoever may read the credential's Secret."""

from argparse import Namespace

from agentidp.domain.resources import AgentCredential, Secret
from agentidp.kube.kinds import CREDENTIALS, SECRETS
from kubectl_agentidp.arguments import Commands, http_url
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import show
from kubectl_agentidp.token_request import Client, Wish, request_token
from kubectl_agentidp.views.conditions import standing
from kubectl_agentidp.views.tokens import as_json, readable

SUMMARY = "Get an access token with a credential's Secret, and print it."
DETAILS = (
    "It asks the token endpoint that the Secret names, or the one given with --endpoint, such as a forwarded port. No other"
    " command prints a secret. Needs get on agentcredentials and on the Secret."
)
EXAMPLES = (
    "token screener",
    "token screener --claims",
    "token screener -o json --scope resumes:read",
    "token screener --endpoint http://127.0.0.1:8080/api/v1/token",
)


def add(commands: Commands) -> None:
    """Its arguments."""
    parser = commands.add("token", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("name", metavar="CREDENTIAL")
    parser.add_argument("--endpoint", type=http_url, metavar="URL", help="of the token endpoint, instead of the Secret's")
    parser.add_argument("--scope", help="scopes with spaces between them; default: all that the agent may have")
    parser.add_argument("--resource", action="append", default=[], metavar="URI", help="audience; may be given again")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-o", "--output", choices=["json"], help="the whole answer")
    form.add_argument("--claims", action="store_true", help="the header and claims, not verified, instead of the token")


async def run(access: PluginClient, asked: Namespace) -> None:
    """Read the pair, ask for a token, show it."""
    credential = await access.get(CREDENTIALS, asked.name)
    secret = await access.get(SECRETS, _secret_name(credential))
    client = _client(credential, secret, asked.endpoint)
    answer = await request_token(client, Wish(asked.scope, tuple(asked.resource)))
    if asked.output:
        show(as_json(answer.body))
    else:
        show(readable(answer.access_token) if asked.claims else answer.access_token)


def _secret_name(credential: AgentCredential) -> str:
    """Where the operator delivered the pair."""
    if credential.status.binding:
        return credential.status.binding.name
    if credential.spec.secret_hash:
        raise CommandError(
            f"the secret of AgentCredential {credential.key} is kept by its owner.", "Nothing in the cluster holds it."
        )
    stands = standing(credential)
    raise CommandError(
        f"AgentCredential {credential.key} has no Secret. {stands.phase or 'Pending'}: {stands.message}",
        "There is nothing to get a token with.",
    )


def _client(credential: AgentCredential, secret: Secret, endpoint: str | None) -> Client:
    keys = credential.spec.secret.keys
    endpoint = endpoint or _value(secret, keys.token_endpoint)
    return Client(endpoint, _value(secret, keys.client_id), _value(secret, keys.client_secret))


def _value(secret: Secret, key: str) -> str:
    value = secret.data.get(key)
    if value is None:
        raise CommandError(f"Secret {secret.key} has no key {key!r}.", "The operator repairs it, if it runs; try again.")
    return value.decode(errors="replace")
