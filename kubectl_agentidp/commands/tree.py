"""`tree`: whose credentials are whose, and which secrets are accepted."""

from argparse import Namespace
from datetime import UTC, datetime

from agentidp.kube.kinds import AGENTS, CREDENTIALS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.commands.status import readable_organizations
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.decisions import TokenDecisions
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
    organizations, now = await readable_organizations(access, agents), datetime.now(UTC)
    claimed = {agent.spec.organization_id for agent in agents}
    drawn_too = [one for one in organizations or () if asked.all_namespaces or one.metadata.name in claimed]
    decisions = TokenDecisions(agents, organizations, now)
    drawn = draw(Forest(agents, credentials, drawn_too, namespaced=asked.all_namespaces), now, decisions)
    if drawn:
        show(drawn)
    else:
        note(f"No agents or credentials in {f'namespace {namespace!r}' if namespace else 'any namespace'}.")
