"""The kind Lease (`coordination.k8s.io/v1`), as far as leader election reads and writes it."""

import msgspec

from agentidp.domain.resources.meta import Object
from agentidp.kube.kinds import Kind


class LeaseSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`LeaseSpec`: the holder, and the times by which it holds the Lease."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int = 0


class Lease(Object, frozen=True, kw_only=True):
    """`Lease`, with the fields that leader election reads."""

    spec: LeaseSpec = LeaseSpec()


LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease", Lease)
