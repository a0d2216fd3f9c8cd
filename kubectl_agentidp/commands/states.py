"""`suspend`, `resume`, `decommission`, `revoke`: changes of `spec.state`, which hold at once, with or without the operator."""

from argparse import Namespace
from functools import partial
from typing import Any

from msgspec import Struct

from agentidp.domain.resources import AgentState, CredentialState
from agentidp.kube.kinds import AGENTS, CREDENTIALS, Kind
from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import PluginClient, Spec
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import confirm, note, show
from kubectl_agentidp.views.names import written

SET_BACK = "Where Git declares spec.state, commit it there, too, or it is set back."
REFUSED = "Where Git declares spec.state, commit it there, too: the API server refuses to go back."
RIGHTS = "Needs get and patch on {}."


class Change(Struct, frozen=True):
    """To which state, from any but the one that is final; a question is asked before what cannot be undone."""

    verb: str
    done: str
    kind: Kind[Any]
    state: AgentState | CredentialState
    final: AgentState | CredentialState
    summary: str
    remark: str
    question: str = ""


SUSPEND = Change(
    verb="suspend",
    done="suspended",
    kind=AGENTS,
    state=AgentState.SUSPENDED,
    final=AgentState.DECOMMISSIONED,
    summary="Cut an agent off: no token for it until it is resumed; its secrets are kept.",
    remark="Resource servers that do not introspect tokens accept earlier ones until they expire.",
)
RESUME = Change(
    verb="resume",
    done="resumed",
    kind=AGENTS,
    state=AgentState.ACTIVE,
    final=AgentState.DECOMMISSIONED,
    summary="Let a suspended agent go on, with the same secrets.",
    remark="",
)
DECOMMISSION = Change(
    verb="decommission",
    done="decommissioned",
    kind=AGENTS,
    state=AgentState.DECOMMISSIONED,
    final=AgentState.DECOMMISSIONED,
    summary="End an agent for good, and all its credentials with it.",
    remark=SUSPEND.remark,
    question="Decommission Agent {name}, and revoke all its credentials? This cannot be undone.",
)
REVOKE = Change(
    verb="revoke",
    done="revoked",
    kind=CREDENTIALS,
    state=CredentialState.REVOKED,
    final=CredentialState.REVOKED,
    summary="End a credential for good: no secret of it is accepted, its Secret is removed, its record is kept.",
    remark="Tokens that were issued before stay valid until they expire.",
    question="Revoke AgentCredential {name}? This cannot be undone.",
)


def add(commands: Commands) -> None:
    """Their arguments."""
    for change in (SUSPEND, RESUME, DECOMMISSION, REVOKE):
        gitops = REFUSED if change.state == change.final else SET_BACK
        details = f"{gitops} {RIGHTS.format(change.kind.plural)}"
        examples = [f"{change.verb} screener -n agents-demo"]
        if change.question:
            examples.append(f"{change.verb} screener --yes")
        parser = commands.add(change.verb, partial(run, change), change.summary, details=details, examples=examples)
        parser.add_argument("name", metavar="AGENT" if change.kind is AGENTS else "CREDENTIAL")
        if change.question:
            parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


async def run(change: Change, access: PluginClient, asked: Namespace) -> None:
    """Look, ask, do, and say so; where it is so already, say that."""
    seen = await access.get(change.kind, asked.name)
    decide = partial(wanted, change, seen.metadata.uid)
    if decide(seen) and change.question and not asked.yes:
        confirm(change.question.format(name=seen.key))
    changed = await access.change(change.kind, asked.name, decide)
    show(f"{written(change.kind, asked.name)} {change.done if changed else f'is {change.state} already'}")
    if changed and change.remark:
        note(change.remark)


def wanted(change: Change, uid: str, one: Any) -> Spec | None:
    """What to merge into the spec of the object that was looked at; another one of its name is not meant. Raises Failure."""
    if one.metadata.uid != uid:
        raise CommandError(
            f"{change.kind.name} {one.key} was deleted and made anew meanwhile.", "Nothing was done; look again."
        )
    if one.spec.state == change.state:
        return None
    if one.spec.state == change.final:
        raise CommandError(
            f"{change.kind.name} {one.key} is {change.final}, which is final.", f"Declare a new {change.kind.name}."
        )
    return {"state": change.state}
