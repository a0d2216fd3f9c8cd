"""`rotate`: asks for a new secret by `spec.rotation.requestedAt`, and waits for it if told to."""

import asyncio
import time
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from functools import partial

from agentidp.domain.resources import AgentCredential, CredentialPhase, CredentialState
from agentidp.domain.resources.meta import rfc3339
from agentidp.kube.kinds import CREDENTIALS
from kubectl_agentidp.arguments import Commands, declared_duration, duration
from kubectl_agentidp.client import PluginClient, SpecPatch
from kubectl_agentidp.errors import CommandError, NoAnswer
from kubectl_agentidp.terminal import note, show
from kubectl_agentidp.views.conditions import issued_at, standing
from kubectl_agentidp.views.names import written
from kubectl_agentidp.views.rotation import intention, is_delivered, outcome, progress, secret_in_use

SUMMARY = "Ask for a new secret under the same client id."
DETAILS = (
    "The former secret stops working when the new one is delivered, or after the overlap; older ones go on working until the"
    " end of their own overlap. After a leak, --end-overlaps ends all of them when the new secret is delivered. It sets"
    " spec.rotation.requestedAt, with --overlap spec.rotation.overlap, which stays declared, and with --end-overlaps"
    " spec.rotation.endOverlapsAt. Needs get and patch on agentcredentials."
)
EXAMPLES = (
    "rotate screener",
    "rotate screener --overlap 1h --wait",
    "rotate screener --end-overlaps --wait",
    "rotate screener -n agents-demo --wait --timeout 5m",
)
POLL_SECONDS = 0.25
TICK = timedelta(milliseconds=1)


def add(commands: Commands) -> None:
    """Its arguments."""
    parser = commands.add("rotate", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("name", metavar="CREDENTIAL")
    parser.add_argument("--overlap", type=declared_duration, metavar="1h", help="how long the former secret goes on working")
    parser.add_argument(
        "--end-overlaps", action="store_true", help="no former secret goes on working, whatever overlaps were declared"
    )
    parser.add_argument("--wait", action="store_true", help="return when the new secret is delivered")
    parser.add_argument("--timeout", type=duration, default="1m", metavar="5m", help="wait no longer than this (default: 1m)")


async def run(access: PluginClient, asked: Namespace) -> None:
    """Ask, tell what will be, and wait for it if told to."""
    now = await access.clock()
    credential = await access.change(
        CREDENTIALS, asked.name, partial(rotation_request, now=now, overlap=asked.overlap, end_overlaps=asked.end_overlaps)
    )
    assert credential  # noqa: S101 a rotation always changes something
    show(f"{written(CREDENTIALS, asked.name)} rotation requested")
    if not asked.wait:
        note(intention(credential))
        return
    rotated = await _rotated(access, credential, asked.timeout)
    show(f"{written(CREDENTIALS, asked.name)} rotated")
    note(outcome(rotated, secret_in_use(credential), datetime.now(UTC)))


def rotation_request(
    credential: AgentCredential, now: datetime, overlap: str | None = None, *, end_overlaps: bool = False
) -> SpecPatch:
    """What to merge into the spec: a request later than the present secret, also where two clocks differ. Raises Failure.

    The API server tells whole seconds. The request is a tick later, so that what `date` writes in that second is another.
    """
    requested = rfc3339(max(now, _last_issue(credential)) + TICK, "milliseconds")
    rotation = {"requestedAt": requested}
    if overlap:
        rotation["overlap"] = overlap
    if end_overlaps:
        rotation["endOverlapsAt"] = requested
    return {"rotation": rotation}


def _last_issue(credential: AgentCredential) -> datetime:
    """When the present secret was made. Raises Failure where the operator would not make another one."""
    name, issued = credential.key, issued_at(credential)
    if credential.spec.state is CredentialState.REVOKED or credential.status.phase is CredentialPhase.REVOKED:
        raise CommandError(f"AgentCredential {name} is revoked, for good: it is not rotated.", "Declare a new AgentCredential.")
    if credential.spec.secret_hash:
        raise CommandError(
            f"AgentCredential {name} has a secret that its owner keeps.", "It is rotated by changing spec.secretHash."
        )
    if credential.status.phase is CredentialPhase.EXPIRED:
        raise CommandError(f"AgentCredential {name} has expired.", "A later spec.expiresAt issues a fresh secret.")
    if issued is None:
        why = standing(credential).message or "The operator has not seen it."
        raise CommandError(f"AgentCredential {name} has no secret yet. {why}", "There is nothing to rotate.")
    return issued


async def _rotated(access: PluginClient, credential: AgentCredential, patience: timedelta) -> AgentCredential:
    """The credential when its new secret is delivered. Raises Failure when the time is over."""
    requested, deadline = credential.spec.rotation.requested_at, time.monotonic() + patience.total_seconds()
    assert requested  # noqa: S101 it was just set
    told = ""
    while not is_delivered(credential, requested):
        if credential.status.phase in {CredentialPhase.REVOKED, CredentialPhase.EXPIRED}:
            raise CommandError(f"not rotated. {progress(credential)}")
        if progress(credential) != told:
            told = progress(credential)
            note(told)
        if time.monotonic() > deadline:
            raise _too_late(credential, patience)
        await asyncio.sleep(POLL_SECONDS)
        credential = await _seen_again(access, credential)
    return credential


async def _seen_again(access: PluginClient, credential: AgentCredential) -> AgentCredential:
    """As it is now; as it was, where the API server does not answer. Raises Failure where another one has its name."""
    try:
        return same(credential, await access.get(CREDENTIALS, credential.metadata.name))
    except NoAnswer as silence:
        note(silence.problem)
        return credential


def same(before: AgentCredential, seen: AgentCredential) -> AgentCredential:
    """What was seen. Raises Failure where it is not the credential that was to be rotated: its secret is no rotation."""
    if seen.metadata.uid != before.metadata.uid:
        raise CommandError(f"AgentCredential {seen.key} was deleted and made anew meanwhile.", "It has a secret of its own.")
    return seen


def _too_late(credential: AgentCredential, patience: timedelta) -> CommandError:
    return CommandError(
        f"not rotated within {patience.total_seconds():.0f} s. {progress(credential)}",
        "The request stands: the operator rotates as soon as it runs and nothing is in the way."
        f" `kubectl agentidp status {credential.metadata.name} -n {credential.metadata.namespace}` tells.",
    )
