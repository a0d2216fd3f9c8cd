"""`suspend`, `resume`, `decommission`, `revoke`: change `spec.state`.

The token service acts on `spec.state` itself, so a change takes effect even while the operator is down.
"""

from argparse import Namespace
from functools import partial
from typing import Any

from msgspec import Struct

from agentidp.domain.resources import AgentState, CredentialState
from agentidp.kube.kinds import AGENTS, CREDENTIALS, Kind
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient, SpecPatch
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import confirm, note, show
from kubectl_agentidp.views.printers import object_name

GITOPS_REVERTS = "If Git declares spec.state, commit the change there, too, or GitOps reverts it."
GITOPS_IS_REFUSED = "If Git declares spec.state, commit the change there, too: the API server refuses to revert it."
RIGHTS = "Needs get and patch on {}."


class StateChange(Struct, frozen=True):
    """A command that sets `spec.state`, from every state but the final one.

    `question` is asked before an irreversible change.
    """

    verb: str
    past_participle: str
    kind: Kind[Any]
    state: AgentState | CredentialState
    final: AgentState | CredentialState
    summary: str
    remark: str
    question: str = ""


SUSPEND = StateChange(
    verb="suspend",
    past_participle="suspended",
    kind=AGENTS,
    state=AgentState.SUSPENDED,
    final=AgentState.DECOMMISSIONED,
    summary="Suspend an agent: it gets no token until it is resumed; its secrets are kept.",
    remark="Resource servers that do not introspect tokens accept earlier tokens until they expire.",
)
RESUME = StateChange(
    verb="resume",
    past_participle="resumed",
    kind=AGENTS,
    state=AgentState.ACTIVE,
    final=AgentState.DECOMMISSIONED,
    summary="Resume a suspended agent, with the same secrets.",
    remark="",
)
DECOMMISSION = StateChange(
    verb="decommission",
    past_participle="decommissioned",
    kind=AGENTS,
    state=AgentState.DECOMMISSIONED,
    final=AgentState.DECOMMISSIONED,
    summary="Decommission an agent for good, and revoke all its credentials.",
    remark=SUSPEND.remark,
    question="Decommission Agent {name}, and revoke all its credentials? This cannot be undone.",
)
REVOKE = StateChange(
    verb="revoke",
    past_participle="revoked",
    kind=CREDENTIALS,
    state=CredentialState.REVOKED,
    final=CredentialState.REVOKED,
    summary="Revoke a credential for good: its secrets are refused, its Secret is deleted, the AgentCredential is kept.",
    remark="Tokens that were issued earlier stay valid until they expire.",
    question="Revoke AgentCredential {name}? This cannot be undone.",
)


def add(commands: Commands) -> None:
    """Add the commands and their arguments."""
    for change in (SUSPEND, RESUME, DECOMMISSION, REVOKE):
        gitops = GITOPS_IS_REFUSED if change.state == change.final else GITOPS_REVERTS
        details = f"{gitops} {RIGHTS.format(change.kind.plural)}"
        examples = [f"{change.verb} screener -n agents-demo"]
        if change.question:
            examples.append(f"{change.verb} screener --yes")
        parser = commands.add(change.verb, partial(run, change), change.summary, details=details, examples=examples)
        parser.add_argument("name", metavar="AGENT" if change.kind is AGENTS else "CREDENTIAL")
        if change.question:
            parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")


async def run(change: StateChange, client: PluginClient, options: Namespace) -> None:
    """Read the object, ask for confirmation if the change is irreversible, change it, and print the result."""
    current = await client.get(change.kind, options.name)
    decide = partial(state_patch, change, current.metadata.uid)
    if decide(current) and change.question and not options.yes:
        confirm(change.question.format(name=current.key))
    changed = await client.change(change.kind, options.name, decide)
    show(f"{object_name(change.kind, options.name)} {change.past_participle if changed else f'is {change.state} already'}")
    if changed and change.remark:
        note(change.remark)


def state_patch(change: StateChange, uid: str, resource: Any) -> SpecPatch | None:
    """Return the patch of the spec, or None if the state is set already.

    Raises CommandError for a final state, and for an object of the same name that is not the confirmed one (another UID).
    """
    if resource.metadata.uid != uid:
        raise CommandError(
            f"{change.kind.name} {resource.key} was deleted and created again meanwhile.", "Nothing was done; try again."
        )
    if resource.spec.state == change.state:
        return None
    if resource.spec.state == change.final:
        raise CommandError(
            f"{change.kind.name} {resource.key} is {change.final}, which is final.", f"Declare a new {change.kind.name}."
        )
    return {"state": change.state}
