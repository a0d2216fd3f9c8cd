"""What `rotate` tells: what will be, how far it is, and how it came out."""

from datetime import datetime

from agentidp.domain.resources import AgentCredential, ConditionStatus, Retirement, SecretHash
from agentidp.domain.resources.conditions import SECRET_DELIVERED, condition
from agentidp.domain.resources.meta import rfc3339
from kubectl_agentidp.views.conditions import in_the_way, overlapping, standing
from kubectl_agentidp.views.timestamps import dated


def is_delivered(credential: AgentCredential, requested: datetime) -> bool:
    """A secret that was made since is in the Secret: the operator records `rotatedAt` after it was written there."""
    delivery = condition(credential.status.conditions, SECRET_DELIVERED)
    rotated = credential.status.rotated_at
    return bool(rotated and rotated >= requested and delivery and delivery.status == ConditionStatus.TRUE)


def intention(credential: AgentCredential) -> str:
    """What becomes of the secret that is in use."""
    rotation = credential.spec.rotation
    if rotation.end_overlaps_at and rotation.end_overlaps_at == rotation.requested_at:
        return "All former secrets stop working when the new one is delivered."
    if rotation.overlap and rotation.retire is Retirement.WHEN_UNUSED:
        return f"The former secret goes on working for {rotation.overlap} after the rotation, and longer while it is used."
    if rotation.overlap:
        return f"The former secret goes on working for {rotation.overlap} after the rotation."
    return "No overlap is declared: the former secret stops working when the new one is delivered."


def progress(credential: AgentCredential) -> str:
    """Why it is not done yet."""
    stands = standing(credential)
    if stands.ready:
        return f"Waiting: {in_the_way(credential)}" if in_the_way(credential) else "Waiting for the operator."
    return f"Waiting while it is {stands.phase or 'Pending'}: {stands.message}"


def secret_in_use(credential: AgentCredential) -> SecretHash | None:
    """The hash of the secret that is in use: the youngest that goes on accepting."""
    return next((one for one in reversed(credential.status.secret_hashes) if not one.not_after), None)


def outcome(credential: AgentCredential, former: SecretHash | None, now: datetime) -> str:
    """Where the new secret is, until when the former one is accepted, and which older ones are accepted still."""
    binding, accepted = credential.status.binding, overlapping(credential, now)
    told = [f"Secret {binding.name if binding else credential.secret_name!r} holds the new secret."]
    last = [one for one in accepted if former and one.hash == former.hash]
    told += [f"The former one{_until(one, now)}." for one in last] or ["The former one is not accepted any more."]
    older = [one for one in accepted if one not in last]
    told += [f"An older one, made at {rfc3339(one.created_at)},{_until(one, now)}." for one in older]
    if older:
        told.append(f"`kubectl agentidp rotate {credential.metadata.name} --end-overlaps` ends them all.")
    return " ".join(told)


def _until(one: SecretHash, now: datetime) -> str:
    return f" is accepted until {dated(one.not_after or now, now)}"
