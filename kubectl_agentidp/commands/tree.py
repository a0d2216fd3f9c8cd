"""`tree`: whose credentials are whose, and which secrets are accepted."""

from argparse import Namespace
from datetime import UTC, datetime

from agentidp.domain.resources import Agent, Organization
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.tree import Forest, draw

SUMMARY = "Draw organizations, their agents, their credentials, and the hashes under which secrets are accepted."
DETAILS = (
    "Of a hash it shows the hint, when it was made, when it was last used (to some minutes, if that is known) and until when it"
    " is accepted. Needs list on agents and agentcredentials; of organizations it shows more than the name to whoever may list"
    " them."
)
EXAMPLES = ("tree", "tree -n agents-demo", "tree -A")


def add(commands: Commands) -> None:
    """Its arguments."""
    parser = commands.add("tree", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")


async def run(access: PluginClient, asked: Namespace) -> None:
    """List, draw."""
    namespace = "" if asked.all_namespaces else access.namespace
    agents, credentials = await access.list(AGENTS, namespace), await access.list(CREDENTIALS, namespace)
    organizations = await _organizations(access, None if asked.all_namespaces else agents)
    forest = Forest(agents, credentials, organizations, namespaced=asked.all_namespaces)
    drawn = draw(forest, datetime.now(UTC))
    if drawn:
        show(drawn)
    else:
        note(f"No agents or credentials in {f'namespace {namespace!r}' if namespace else 'any namespace'}.")


async def _organizations(access: PluginClient, agents: list[Agent] | None) -> list[Organization]:
    """All, or those that the agents claim; none where the caller may not list them: they are known by name anyway."""
    claimed = {agent.spec.organization_id for agent in agents or ()}
    if agents is not None and claimed <= {None}:
        return []
    try:
        found = await access.list(ORGANIZATIONS)
    except CommandError:
        return []
    return [one for one in found if agents is None or one.metadata.name in claimed]
