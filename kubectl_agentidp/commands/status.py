"""`status`: how the agents and credentials of a namespace are."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from agentidp.domain.resources import Agent, AgentCredential, Organization
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.status import as_json, as_text, report

SUMMARY = "Show how agents and credentials are, why, and what is due next."
DETAILS = (
    "It tells what the token service does now: the stricter of spec and status, also while the operator is down. OVERLAP counts"
    " the former secrets that are accepted still. Needs list on agents and agentcredentials; what an Organization refuses it"
    " tells at once to whoever may list organizations, else when the operator has acted on it."
)
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
    decisions = TokenDecisions(agents, await readable_organizations(access, agents), now)
    if asked.name:
        agents, credentials = _named(asked.name, agents, credentials)
    told = report(agents, credentials, now, decisions)
    if asked.output:
        show(as_json(told))
    elif agents or credentials:
        show(as_text(told, now, namespaced=asked.all_namespaces))
    _require_found(asked, namespace, found=bool(agents or credentials))


async def readable_organizations(access: PluginClient, agents: Sequence[Agent]) -> list[Organization] | None:
    """All, where an agent claims one; None where the caller may not list them."""
    if all(agent.spec.organization_id is None for agent in agents):
        return []
    try:
        return await access.list(ORGANIZATIONS)
    except CommandError:
        return None


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
