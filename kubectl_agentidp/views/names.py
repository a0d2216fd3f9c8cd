"""Kinds and objects as kubectl and RBAC write them."""

from typing import Any

from agentidp.kube.kinds import Kind


def full_name(kind: Kind[Any]) -> str:
    """A kind as RBAC and kubectl name it: `agents.idp.sentryagent.ai`."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def written(kind: Kind[Any], name: str) -> str:
    """An object as kubectl writes it after a change: `agent.idp.sentryagent.ai/screener`."""
    return f"{kind.name.lower()}.{kind.group}/{name}"
