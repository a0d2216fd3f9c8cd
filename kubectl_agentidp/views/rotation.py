"""The text of `rotate`: the effect of the rotation, why it is not done yet, and its result."""

from datetime import datetime

from agentidp.domain.resources import AgentCredential, ConditionStatus, Retirement, SecretHash
from agentidp.domain.resources.conditions import SECRET_DELIVERED, condition
from agentidp.domain.resources.meta import rfc3339
from kubectl_agentidp.views.conditions import delivery_problem, overlapping_hashes, readiness
from kubectl_agentidp.views.printers import dated


def is_delivered(credential: AgentCredential, requested: datetime) -> bool:
    """Return whether the Secret has a secret that was generated after the request.

    The operator records `rotatedAt` after it has written the Secret.
    """
    delivery = condition(credential.status.conditions, SECRET_DELIVERED)
    rotated = credential.status.rotated_at
    return bool(rotated and rotated >= requested and delivery and delivery.status == ConditionStatus.TRUE)


def announcement(credential: AgentCredential) -> str:
    """Say until when the secret in use will be accepted."""
    rotation = credential.spec.rotation
    if rotation.end_overlaps_at and rotation.end_overlaps_at == rotation.requested_at:
        return "All former secrets stop working when the new one is delivered."
    if rotation.overlap and rotation.retire is Retirement.WHEN_UNUSED:
        return f"The former secret keeps working for {rotation.overlap} after the rotation, and longer while it is used."
    if rotation.overlap:
        return f"The former secret keeps working for {rotation.overlap} after the rotation."
    return "No overlap is declared: the former secret stops working when the new one is delivered."


def progress(credential: AgentCredential) -> str:
    """Say why the rotation is not done yet."""
    state = readiness(credential)
    if state.ready:
        problem = delivery_problem(credential)
        return f"Waiting: {problem}" if problem else "Waiting for the operator."
    return f"Waiting while it is {state.phase or 'Pending'}: {state.message}"


def secret_in_use(credential: AgentCredential) -> SecretHash | None:
    """Return the hash of the secret in use: the youngest one without an end."""
    return next((entry for entry in reversed(credential.status.secret_hashes) if not entry.not_after), None)


def result(credential: AgentCredential, former: SecretHash | None, now: datetime) -> str:
    """Say where the new secret is, until when the former one is accepted, and which older ones are still accepted."""
    binding, accepted = credential.status.binding, overlapping_hashes(credential, now)
    sentences = [f"Secret {binding.name if binding else credential.secret_name!r} holds the new secret."]
    last = [entry for entry in accepted if former and entry.hash == former.hash]
    sentences += [f"The former one{_until(entry, now)}." for entry in last] or ["The former one is not accepted any more."]
    older = [entry for entry in accepted if entry not in last]
    sentences += [f"An older one, made at {rfc3339(entry.created_at)},{_until(entry, now)}." for entry in older]
    if older:
        sentences.append(f"`kubectl agentidp rotate {credential.metadata.name} --end-overlaps` ends them all.")
    return " ".join(sentences)


def _until(entry: SecretHash, now: datetime) -> str:
    return f" is accepted until {dated(entry.not_after or now, now)}"
