"""`status`: how the agents and credentials of a namespace are."""

from argparse import Namespace
from datetime import UTC, datetime

from agentidp.domain.resources import Agent, AgentCredential
from agentidp.kube.kinds import AGENTS, CREDENTIALS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.status import as_json, as_text, report

SUMMARY = "Show how agents and credentials are, why, and what is due next."
DETAILS = "OVERLAP counts the former secrets that are accepted still. Needs list on agents and agentcredentials."
EXAMPLES = ("status", "status screener -n agents-demo", "status -A -o json")


def add(commands: Commands) -> None:
    """Its arguments."""
    parser = commands.add("status", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="only the agent of this name with its credentials, or the credential"
    )
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    parser.add_argument("-o", "--output", choices=["json"], help="for programs")


async def run(access: PluginClient, asked: Namespace) -> None:
    """List, choose, show."""
    now = datetime.now(UTC)
    namespace = "" if asked.all_namespaces else access.namespace
    agents, credentials = await access.list(AGENTS, namespace), await access.list(CREDENTIALS, namespace)
    if asked.name:
        agents, credentials = _named(asked.name, agents, credentials)
    told = report(agents, credentials, now)
    if asked.output:
        show(as_json(told))
    elif agents or credentials:
        show(as_text(told, now, namespaced=asked.all_namespaces))
    _require_found(asked, namespace, found=bool(agents or credentials))


def _named(name: str, agents: list[Agent], credentials: list[AgentCredential]) -> tuple[list[Agent], list[AgentCredential]]:
    """The agent of this name, and the credentials that are called so or are this agent's."""
    chosen = [one for one in credentials if name in {one.metadata.name, one.spec.agent_ref.name}]
    return [one for one in agents if one.metadata.name == name], chosen


def _require_found(asked: Namespace, namespace: str, *, found: bool) -> None:
    """A name must be somebody's; an empty namespace is worth a remark."""
    where = f"in namespace {namespace!r}" if namespace else "in any namespace"
    if found:
        return
    if asked.name:
        raise CommandError(
            f"there is no agent or credential {asked.name!r} {where}.", "-n chooses another namespace, -A looks everywhere."
        )
    note(f"No agents or credentials {where}.")
