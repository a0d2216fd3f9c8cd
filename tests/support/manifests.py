"""Builders of resources: the smallest valid one of each kind, with what a test cares about."""

import copy
from typing import Any

from tests.support.crd_schema import Manifest

AGENT_ID = "1f0d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER_ID = "2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9"
BCRYPT = "$2b$10$abcdefghijklmnopqrstuuE0XbJ2cyIHhBqyb2n4n2kkp3nSEWLbW"
OTHER_BCRYPT = BCRYPT.replace("$10$", "$12$")

SMALLEST: dict[str, Manifest] = {
    "Agent": {
        "email": "screener@agents.example",
        "type": "Screener",
        "version": "1.4.0",
        "capabilities": ["resume:read"],
        "owner": "talent",
        "deploymentEnv": "Production",
    },
    "AgentCredential": {"agentRef": {"name": "screener"}},
    "Organization": {},
    "PendingChange": {
        "credential": {"namespace": "talent", "name": "screener"},
        "operation": "Generate",
        "hash": BCRYPT,
        "requestId": OTHER_ID,
    },
    "TokenRevocation": {"expiresAt": "2026-03-01T13:00:00Z"},
}


def a_resource(kind: str, spec: Manifest | None = None, name: str = OTHER_ID) -> Manifest:
    """The smallest valid resource of a kind, with these fields of its spec beside or instead."""
    merged = copy.deepcopy(SMALLEST[kind]) | (spec or {})
    return {"apiVersion": "idp.sentryagent.ai/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": merged}


def an_agent(**spec: Any) -> Manifest:
    """An Agent with these fields."""
    return a_resource("Agent", spec)


def a_credential(**spec: Any) -> Manifest:
    """An AgentCredential with these fields."""
    return a_resource("AgentCredential", spec)


def a_secret(**template: Any) -> Manifest:
    """An AgentCredential that is delivered like this."""
    return a_credential(secret=template)
