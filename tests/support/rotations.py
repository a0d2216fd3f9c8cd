"""Asking for rotations, and waiting for them."""

from datetime import UTC, datetime
from functools import partial

from tests.support.crd_schema import Manifest
from tests.support.tenants import NAME, Tenant, told
from tests.support.waiting import SECONDS, eventually


def now() -> str:
    """As manifests write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def request_rotations(tenant: Tenant, *names: str) -> None:
    """Of the credentials of these names, for now."""
    for name in names or (NAME,):
        tenant.change("AgentCredential", name, rotation={"requestedAt": now()})


def until_rotated(tenant: Tenant, *names: str, within: float = SECONDS) -> None:
    """As was requested last."""
    for name in names or (NAME,):
        eventually(f"{name} is rotated", partial(tenant.get, "AgentCredential", name), is_rotated, within)


def is_rotated(credential: Manifest) -> bool:
    """Whether what was requested last is done, and recorded."""
    requested, status = credential["spec"].get("rotation", {}).get("requestedAt"), credential["status"]
    done = requested is None or moment_of(status.get("rotatedAt", status["createdAt"])) >= moment_of(requested)
    return done and told(credential) == "Issued" and told(credential, "SecretDelivered") == "SecretDelivered"


def is_first_write(written: Manifest) -> bool:
    """Whether a hash was published that is not recorded as the one in use."""
    status = written.get("status", {})
    hashes = status.get("secretHashes")
    return bool(hashes) and hashes[-1]["createdAt"] != status.get("rotatedAt", status.get("createdAt"))


def moment_of(text: str) -> datetime:
    """As manifests write it."""
    return datetime.fromisoformat(text)
