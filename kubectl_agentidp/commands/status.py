"""`status`: print the state of agents and credentials, as the token service decides it now."""

from argparse import Namespace
from datetime import UTC, datetime

from agentidp.domain.resources import Agent, AgentCredential
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.status import as_json, as_text, report

SUMMARY = "Show the state of agents and credentials, its reason, and what is due next."
DETAILS = (
    "It shows what the token service decides now: the stricter of spec and status, also while the operator is down. OVERLAP is"
    " the number of former secrets that are still accepted. Needs list on agents and agentcredentials. With list on"
    " organizations it shows at once what an Organization refuses, else after the operator has acted on it."
)
EXAMPLES = ("status", "status screener -n agents-demo", "status -A -o json")


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add("status", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="only the agent of this name with its credentials, or the credential"
    )
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="show all namespaces")
    parser.add_argument("-o", "--output", choices=["json"], help="print JSON")


async def run(client: PluginClient, options: Namespace) -> None:
    """List the resources, select those of the name, and print them."""
    now = datetime.now(UTC)
    namespace = "" if options.all_namespaces else client.namespace
    agents, credentials = await client.list(AGENTS, namespace), await client.list(CREDENTIALS, namespace)
    claimed = any(agent.spec.organization_id for agent in agents)
    organizations = await client.list_if_allowed(ORGANIZATIONS) if claimed else []
    decisions = TokenDecisions(agents, organizations, now)
    if options.name:
        agents, credentials = _of_name(options.name, agents, credentials)
    rows = report(agents, credentials, now, decisions)
    if options.output:
        show(as_json(rows))
    elif agents or credentials:
        show(as_text(rows, now, namespaced=options.all_namespaces))
    if not agents and not credentials:
        _nothing_found(options, namespace)


def _of_name(name: str, agents: list[Agent], credentials: list[AgentCredential]) -> tuple[list[Agent], list[AgentCredential]]:
    """Return the agent of this name with its credentials, and the credential of this name."""
    chosen = [item for item in credentials if name in {item.metadata.name, item.spec.agent_ref.name}]
    return [item for item in agents if item.metadata.name == name], chosen


def _nothing_found(options: Namespace, namespace: str) -> None:
    """Raise CommandError for a name that nothing has; print a remark about an empty namespace."""
    where = f"in namespace {namespace!r}" if namespace else "in any namespace"
    if options.name:
        raise CommandError(
            f"there is no agent or credential {options.name!r} {where}.", "-n chooses another namespace, -A looks everywhere."
        )
    note(f"No agents or credentials {where}.")
