"""What the operator remembers of an object: little, however large the API server lets a tenant make it.

Of our kinds: identity, spec and status, which the schemas bound. Of a Secret that a credential names: all of it, up to
`MAX_SECRET_BYTES` in sum. Of any other Secret: its identity, and whose it says to be. A decision that needs more is taken from
the object as the API server has it, so what is left out is never missed (decision 35).
"""

from itertools import islice

from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, ObjectMeta, Secret
from agentidp.domain.secrets.secret_delivery import CREDENTIAL_ID_ANNOTATION, credentials_claimed_by
from agentidp.kube.kinds import ObjectT

MAX_SECRET_BYTES = 8192
"""Keys, values and metadata together. What is delivered has some 500, and the labels and annotations declared for it."""
MAX_CLAIMS = 8
MAX_UID = 64


class SecretIdentity(Secret, frozen=True, kw_only=True):
    """A Secret of which only its identity is remembered, and which credentials it says to belong to."""

    claims_more: bool = False
    """It says to belong to more credentials than are remembered."""

    def may_be_of(self, credential: AgentCredential) -> bool:
        """Whether it has to be read to know: it says so, or not all that it says is remembered, or its value may tell."""
        claimed = credentials_claimed_by(self)
        if self.claims_more or credential.metadata.uid in claimed:
            return True
        return not claimed and any(one.hint for one in credential.status.secret_hashes)


def without_metadata(value: ObjectT) -> ObjectT:
    """The object, less labels, annotations and owners: for our own kinds they mean nothing."""
    meta = value.metadata
    if not (meta.labels or meta.annotations or meta.owner_references):
        return value
    return replace(value, metadata=replace(meta, labels={}, annotations={}, owner_references=()))


def trimmed_secret(secret: Secret, *, named: bool) -> Secret:
    """The Secret if a credential names it and it is small; else its identity."""
    if named and _size(secret) <= MAX_SECRET_BYTES:
        return secret
    meta = secret.metadata
    claimed = meta.annotations.get(CREDENTIAL_ID_ANNOTATION, "")
    claiming = (one for one in meta.owner_references if one.kind == "AgentCredential" and len(one.uid) <= MAX_UID)
    owners = tuple(islice(claiming, MAX_CLAIMS + 1))
    identity = ObjectMeta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
        annotations={CREDENTIAL_ID_ANNOTATION: claimed} if 0 < len(claimed) <= MAX_UID else {},
        owner_references=owners[:MAX_CLAIMS],
    )
    return SecretIdentity(metadata=identity, claims_more=len(owners) > MAX_CLAIMS)


def _size(secret: Secret) -> int:
    meta = secret.metadata
    texts = (*meta.labels.items(), *meta.annotations.items(), *secret.data.items())
    owners = sum(len(one.name) + len(one.uid) + len(one.kind) + len(one.api_version) for one in meta.owner_references)
    return owners + sum(len(key) + len(value) for key, value in texts)
