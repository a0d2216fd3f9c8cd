"""`tree`: organizations, their agents, the credentials of each agent, and the secret hashes of each credential."""

from argparse import Namespace
from datetime import UTC, datetime

from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.tree import TreeResources, draw

SUMMARY = "Draw organizations, their agents, their credentials, and the hashes of accepted secrets."
DETAILS = (
    "Of each hash it shows the hint, the creation time, the time of the last use (to some minutes, if it is recorded) and the"
    " time until which it is accepted. Needs list on agents and agentcredentials; with list on organizations it shows their"
    " display names and tiers."
)
EXAMPLES = ("tree", "tree -n agents-demo", "tree -A")


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add("tree", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="draw all namespaces")


async def run(client: PluginClient, options: Namespace) -> None:
    """List the resources and print the tree."""
    namespace = "" if options.all_namespaces else client.namespace
    agents, credentials = await client.list(AGENTS, namespace), await client.list(CREDENTIALS, namespace)
    claimed, now = {agent.spec.organization_id for agent in agents} - {None}, datetime.now(UTC)
    organizations = await client.list_if_allowed(ORGANIZATIONS) if claimed or options.all_namespaces else []
    drawn = [item for item in organizations or () if options.all_namespaces or item.metadata.name in claimed]
    resources = TreeResources(agents, credentials, drawn, namespaced=options.all_namespaces)
    text = draw(resources, now, TokenDecisions(agents, organizations, now))
    if text:
        show(text)
    else:
        note(f"No agents or credentials in {f'namespace {namespace!r}' if namespace else 'any namespace'}.")
