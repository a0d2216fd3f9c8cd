"""The Secret into which a credential is delivered: what it should look like, whose it is, and how the real one differs."""

from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.resources import GROUP, VERSION, AgentCredential, ObjectMeta, OwnerReference, Secret
from agentidp.domain.secrets import client_secrets as secrets

SECRET_TYPE = f"{GROUP}/credential"  # a type is immutable, so a watch can be narrowed to it
CREDENTIAL_ID_ANNOTATION = f"{GROUP}/credential-id"
MANAGED_BY = {"app.kubernetes.io/managed-by": "agentidp"}


class Endpoints(Struct, frozen=True):
    """What a workload needs to know beside its pair."""

    token_endpoint: str
    issuer: str


class SecretOwnership(Enum):
    """Whose the Secret of the credential's name is."""

    NONE = "no such Secret"
    FOREIGN = "somebody else's"
    OURS = "this credential's"


class Delivery(Struct, frozen=True):
    """What the Secret of one name holds, as far as decisions need it: never the value, only its hint."""

    name: str
    holding: SecretOwnership = SecretOwnership.NONE
    hint: str | None = None
    intact: bool = False
    """Everything but the value is as declared."""


def secret_for(credential: AgentCredential, client_secret: bytes, endpoints: Endpoints) -> Secret:
    """The Secret as it should be, holding this value."""
    keys, template = credential.spec.secret.keys, credential.spec.secret
    meta = credential.metadata
    return Secret(
        metadata=ObjectMeta(
            name=credential.secret_name,
            namespace=meta.namespace,
            labels=template.labels | MANAGED_BY,
            annotations=template.annotations | {CREDENTIAL_ID_ANNOTATION: meta.uid},
            owner_references=(_owner(credential),),
        ),
        type=SECRET_TYPE,
        data={
            keys.client_id: (credential.status.client_id or "").encode(),
            keys.client_secret: client_secret,
            keys.token_endpoint: endpoints.token_endpoint.encode(),
            keys.issuer: endpoints.issuer.encode(),
        },
    )


def updated(current: Secret, wanted: Secret) -> Secret:
    """`current` with all that is declared, keeping what others added to its metadata; the write is bound to its version."""
    meta = current.metadata
    others = tuple(o for o in meta.owner_references if o.uid != wanted.metadata.owner_references[0].uid)
    return replace(
        wanted,
        metadata=replace(
            meta,
            labels=meta.labels | wanted.metadata.labels,
            annotations=meta.annotations | wanted.metadata.annotations,
            owner_references=(*wanted.metadata.owner_references, *others),
        ),
    )


def client_secret_in(secret: Secret, credential: AgentCredential) -> bytes | None:
    """The value that a Secret holds: one that a hash accepts, under whichever key, else what stands under the declared key."""
    known = {one.hint for one in credential.status.secret_hashes if one.hint}
    declared = secret.data.get(credential.spec.secret.keys.client_secret)
    candidates = (declared, *secret.data.values())
    accepted = (value for value in candidates if value and secrets.hint_of(credential.metadata.uid, value) in known)
    return next(accepted, declared)


def credentials_claimed_by(secret: Secret) -> set[str]:
    """The ids of the credentials whose Secret it says to be, by owner reference and by annotation."""
    owners = {owner.uid for owner in secret.metadata.owner_references if owner.kind == "AgentCredential"}
    annotated = secret.metadata.annotations.get(CREDENTIAL_ID_ANNOTATION)
    return owners | ({annotated} if annotated else set())


def inspect(credential: AgentCredential, name: str, secret: Secret | None, endpoints: Endpoints) -> Delivery:
    """What is known of the Secret of this name."""
    if secret is None:
        return Delivery(name)
    value = client_secret_in(secret, credential)
    hint = secrets.hint_of(credential.metadata.uid, value) if value else None
    if not _is_ours(credential, secret, hint):
        return Delivery(name, SecretOwnership.FOREIGN)
    return Delivery(name, SecretOwnership.OURS, hint, _is_intact(credential, secret, value or b"", endpoints))


def _owner(credential: AgentCredential) -> OwnerReference:
    meta = credential.metadata
    return OwnerReference(
        api_version=f"{GROUP}/{VERSION}", kind="AgentCredential", name=meta.name, uid=meta.uid, controller=True
    )


def _is_ours(credential: AgentCredential, secret: Secret, hint: str | None) -> bool:
    """By owner reference or annotation; and if an editor removed both, by a value that only this credential's Secret had."""
    if secret.type != SECRET_TYPE:
        return False
    claimed = credentials_claimed_by(secret)
    if claimed:
        return credential.metadata.uid in claimed
    return any(known.hint == hint for known in credential.status.secret_hashes if hint)


def _is_intact(credential: AgentCredential, secret: Secret, value: bytes, endpoints: Endpoints) -> bool:
    return updated(secret, secret_for(credential, value, endpoints)) == secret
