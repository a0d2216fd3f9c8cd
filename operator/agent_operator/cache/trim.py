"""Trim: what the cluster cache keeps of an object, bounded however large a tenant makes it.

Of our kinds: identity, spec and status, which the schemas bound. Of a Secret that a credential names: all that a decision
reads, up to `MAX_SECRET_BYTES` in sum. Of any other Secret: its identity, and the uids of the credentials that own it. A
decision that needs more is taken from the object as the API server has it, so what is left out is never missed (decision 35).
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from agentidp.domain.resources import GROUP, VERSION, AgentCredential, OwnerReference, Secret, SecretMeta
from agentidp.domain.secrets.secret_delivery import is_bound, is_credential, owning_credentials, with_own_fields_only
from agentidp.kube.kinds import ObjectT

MAX_SECRET_BYTES = 8192
"""Bytes of keys, values and metadata. A delivered Secret has about 500, and its declared labels and annotations."""
MAX_OWNERS = 8
MAX_UID = 64


class SecretIdentity(Secret, frozen=True, kw_only=True):
    """The identity of a Secret, and the credentials that own it."""

    has_more_owners: bool = False
    """More credentials own it than are kept."""

    def may_be_of(self, credential: AgentCredential) -> bool:
        """Whether a live read must decide: the credential may own it, or no credential does and the status names it."""
        owners = owning_credentials(self)
        return self.has_more_owners or credential.metadata.uid in owners or (not owners and is_bound(credential, self))


def without_metadata(value: ObjectT) -> ObjectT:
    """Return the object without labels, annotations and owners, which mean nothing for our kinds."""
    meta = value.metadata
    if not (meta.labels or meta.annotations or meta.owner_references):
        return value
    return replace(value, metadata=replace(meta, labels={}, annotations={}, owner_references=()))


def trimmed_secret(secret: Secret, *, named: bool) -> Secret:
    """Return the Secret if a credential names it and it is small, else its identity."""
    meta = secret.metadata
    if named and _size(secret) <= MAX_SECRET_BYTES:
        return replace(secret, metadata=with_own_fields_only(meta))
    owners = tuple(islice(_credentials(meta.owner_references), MAX_OWNERS + 1))
    identity = SecretMeta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
        owner_references=owners[:MAX_OWNERS],
    )
    return SecretIdentity(metadata=identity, has_more_owners=len(owners) > MAX_OWNERS)


def _credentials(owners: Iterable[OwnerReference]) -> Iterator[OwnerReference]:
    """The credentials among the owners, by their uids. The API server bounds neither name nor version of an owner."""
    for one in owners:
        if is_credential(one) and len(one.uid) <= MAX_UID:
            yield replace(one, api_version=f"{GROUP}/{VERSION}", name="")


def _size(secret: Secret) -> int:
    meta = secret.metadata
    texts = (*meta.labels.items(), *meta.annotations.items(), *secret.data.items(), *((one, "") for one in meta.finalizers))
    owners = sum(len(one.name) + len(one.uid) + len(one.kind) + len(one.api_version) for one in meta.owner_references)
    return owners + sum(len(key) + len(value) for key, value in texts)
