"""`rotate`: request a new secret with `spec.rotation.requestedAt`, and wait for it with `--wait`."""

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
from kubectl_agentidp.views.conditions import last_issued_at, readiness
from kubectl_agentidp.views.printers import object_name
from kubectl_agentidp.views.rotation import announcement, is_delivered, progress, result, secret_in_use

SUMMARY = "Request a new secret under the same client id."
DETAILS = (
    "The former secret stops working when the new one is delivered, or after the overlap; older ones keep working until the"
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
REQUEST_DELAY = timedelta(milliseconds=1)
"""The API server tells whole seconds; this makes the request differ from one that `date` writes in the same second."""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add("rotate", run, SUMMARY, details=DETAILS, examples=EXAMPLES)
    parser.add_argument("name", metavar="CREDENTIAL")
    parser.add_argument("--overlap", type=declared_duration, metavar="1h", help="how long the former secret keeps working")
    parser.add_argument("--end-overlaps", action="store_true", help="end all former secrets, also within their overlaps")
    parser.add_argument("--wait", action="store_true", help="wait until the new secret is delivered")
    parser.add_argument("--timeout", type=duration, default="1m", metavar="5m", help="maximum time to wait (default: 1m)")


async def run(client: PluginClient, options: Namespace) -> None:
    """Request the rotation, print its effect, and wait for it with `--wait`."""
    now = await client.clock()
    credential = await client.change(
        CREDENTIALS,
        options.name,
        partial(rotation_request, now=now, overlap=options.overlap, end_overlaps=options.end_overlaps),
    )
    assert credential  # noqa: S101 a rotation always changes something
    show(f"{object_name(CREDENTIALS, options.name)} rotation requested")
    if not options.wait:
        note(announcement(credential))
        return
    rotated = await _wait(client, credential, options.timeout)
    show(f"{object_name(CREDENTIALS, options.name)} rotated")
    note(result(rotated, secret_in_use(credential), datetime.now(UTC)))


def rotation_request(
    credential: AgentCredential, now: datetime, overlap: str | None = None, *, end_overlaps: bool = False
) -> SpecPatch:
    """Return the patch of the spec: a request that is later than the present secret, also if two clocks differ.

    Raises CommandError if the operator would not rotate the credential.
    """
    requested = rfc3339(max(now, _last_issue(credential)) + REQUEST_DELAY, "milliseconds")
    rotation = {"requestedAt": requested}
    if overlap:
        rotation["overlap"] = overlap
    if end_overlaps:
        rotation["endOverlapsAt"] = requested
    return {"rotation": rotation}


def _last_issue(credential: AgentCredential) -> datetime:
    """Return when the present secret was generated. Raises CommandError if the operator would not generate another one."""
    name, issued = credential.key, last_issued_at(credential)
    if credential.spec.state is CredentialState.REVOKED or credential.status.phase is CredentialPhase.REVOKED:
        raise CommandError(f"AgentCredential {name} is revoked, for good: it is not rotated.", "Declare a new AgentCredential.")
    if credential.spec.secret_hash:
        raise CommandError(
            f"AgentCredential {name} has a provided hash: the operator does not rotate it.", "Change spec.secretHash instead."
        )
    if credential.status.phase is CredentialPhase.EXPIRED:
        raise CommandError(f"AgentCredential {name} has expired.", "A later spec.expiresAt issues a fresh secret.")
    if issued is None:
        reason = readiness(credential).message or "The operator has not reconciled it."
        raise CommandError(f"AgentCredential {name} has no secret yet. {reason}", "There is nothing to rotate.")
    return issued


async def _wait(client: PluginClient, credential: AgentCredential, limit: timedelta) -> AgentCredential:
    """Return the credential when its new secret is delivered. Raises CommandError after the time limit."""
    requested, deadline = credential.spec.rotation.requested_at, time.monotonic() + limit.total_seconds()
    assert requested  # noqa: S101 it was just set
    printed = ""
    while not is_delivered(credential, requested):
        if credential.status.phase in {CredentialPhase.REVOKED, CredentialPhase.EXPIRED}:
            raise CommandError(f"not rotated. {progress(credential)}")
        if progress(credential) != printed:
            printed = progress(credential)
            note(printed)
        if time.monotonic() > deadline:
            raise _timeout(credential, limit)
        await asyncio.sleep(POLL_SECONDS)
        credential = await _read_again(client, credential)
    return credential


async def _read_again(client: PluginClient, credential: AgentCredential) -> AgentCredential:
    """Return the present credential; the former one if the API server does not answer."""
    try:
        return require_same_uid(credential, await client.get(CREDENTIALS, credential.metadata.name))
    except NoAnswer as error:
        note(error.problem)
        return credential


def require_same_uid(before: AgentCredential, current: AgentCredential) -> AgentCredential:
    """Return the current credential. Raises CommandError if it was deleted and created again: its secret is no rotation."""
    if current.metadata.uid != before.metadata.uid:
        raise CommandError(f"AgentCredential {current.key} was deleted and created again meanwhile.", "It has another secret.")
    return current


def _timeout(credential: AgentCredential, limit: timedelta) -> CommandError:
    return CommandError(
        f"not rotated within {limit.total_seconds():.0f} s. {progress(credential)}",
        "The request stands: the operator rotates as soon as it runs and nothing prevents it."
        f" `kubectl agentidp status {credential.metadata.name} -n {credential.metadata.namespace}` shows its state.",
    )
