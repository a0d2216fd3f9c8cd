"""What `rotate` tells: what will be, how far it is, and how it came out."""

from datetime import datetime

from agentidp.domain.resources import AgentCredential, ConditionStatus, Retirement
from agentidp.domain.resources.conditions import SECRET_DELIVERED, condition
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


def outcome(credential: AgentCredential, now: datetime) -> str:
    """Where the new secret is, and until when former ones are accepted."""
    binding, former = credential.status.binding, overlapping(credential, now)
    delivered = f"Secret {binding.name if binding else credential.secret_name!r} holds the new secret"
    if not former:
        return f"{delivered}; the former one is not accepted any more."
    return f"{delivered}; the former one is accepted until {dated(former[-1].not_after or now, now)}."
