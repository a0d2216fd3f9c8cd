"""The Secret into which a credential is delivered: what it should look like, whose it is, and how the real one differs.

Others write it as well: finalizers, labels, annotations, owner references, `immutable`, fields that this version does not know.
So a Secret is never replaced: a write names the fields that are ours (decision 43).
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.resources import GROUP, VERSION, AgentCredential, OwnerReference, Secret, SecretMeta
from agentidp.domain.resources.secret import FieldLeaf, FieldsV1, ManagedFieldsEntry, MetadataFields
from agentidp.domain.secrets import client_secrets as secrets

FIELD_MANAGER = "agentidp-operator"
"""The name under which `metadata.managedFields` lists what the operator writes."""
CARRIER = f"{FIELD_MANAGER}-carried-over"
"""The name under which it writes fields of others again, when an immutable Secret is created anew: they stay theirs."""
SET_BY_THE_API_SERVER = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
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
    terminating: bool = False
    """It is deleted, and waits for finalizers."""


def secret_for(credential: AgentCredential, client_secret: bytes, endpoints: Endpoints) -> Secret:
    """The Secret as it should be, holding this value."""
    keys, template = credential.spec.secret.keys, credential.spec.secret
    meta = credential.metadata
    return Secret(
        metadata=SecretMeta(
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


def changes(current: Secret, wanted: Secret) -> dict[str, Any]:
    """Return the strategic merge patch that makes `current` as declared; it is empty where nothing differs.

    Ours are the data as a whole, our entry of the owner references, and of labels and annotations those that are declared or
    that only the operator has written: what is no longer declared goes. Nothing else is named, so nothing else changes.
    """
    meta, ours = current.metadata, fields_of_operator(current.metadata)
    metadata = {
        "labels": _difference(meta.labels, wanted.metadata.labels, ours.labels),
        "annotations": _difference(meta.annotations, wanted.metadata.annotations, ours.annotations),
        "ownerReferences": _missing_owner(meta.owner_references, wanted.metadata.owner_references[0]),
    }
    data = _difference(current.data, wanted.data, {_field(key) for key in current.data})
    return _filled({"data": data, "metadata": _filled(metadata)})


def carried_over(manifest: Mapping[str, msgspec.Raw], current: Secret, wanted: Secret) -> dict[str, Any]:
    """Return the manifest of a Secret to be created in the place of `current`, with the wanted data.

    `manifest` is `current` with the fields that no Struct here knows. The new manifest has all that others have set. It lacks
    our labels and annotations: the new Secret is written as CARRIER, and `changes` then adds ours.
    """
    meta, ours = current.metadata, fields_of_operator(current.metadata)
    metadata = msgspec.json.decode(manifest["metadata"], type=dict[str, msgspec.Raw])
    carried = {name: field for name, field in metadata.items() if name not in SET_BY_THE_API_SERVER}
    labels = _without(meta.labels, wanted.metadata.labels, ours.labels)
    annotations = _without(meta.annotations, wanted.metadata.annotations, ours.annotations)
    return {**manifest, "metadata": {**carried, "labels": labels, "annotations": annotations}, "data": wanted.data}


def fields_of_operator(meta: SecretMeta) -> MetadataFields:
    """The labels and annotations of which the operator, in whichever version, is the only manager."""
    return MetadataFields(
        labels=_owned_alone(meta.labels, meta.managed_fields, lambda fields: fields.labels),
        annotations=_owned_alone(meta.annotations, meta.managed_fields, lambda fields: fields.annotations),
    )


def with_own_fields_only(meta: SecretMeta) -> SecretMeta:
    """The metadata with as much of the managed fields as `changes` reads."""
    if not meta.managed_fields:
        return meta
    own = ManagedFieldsEntry(manager=FIELD_MANAGER, fields_v1=FieldsV1(metadata=fields_of_operator(meta)))
    return replace(meta, managed_fields=(own,))


def client_secret_in(secret: Secret, credential: AgentCredential) -> bytes | None:
    """The value that a Secret holds: one that a hash accepts, under whichever key, else what stands under the declared key."""
    known = {one.hint for one in credential.status.secret_hashes if one.hint}
    declared = secret.data.get(credential.spec.secret.keys.client_secret)
    candidates = (declared, *secret.data.values())
    accepted = (value for value in candidates if value and secrets.hint_of(credential.metadata.uid, value) in known)
    return next(accepted, declared)


def owning_credentials(secret: Secret) -> set[str]:
    """The uids of the AgentCredentials that its owner references name."""
    return {owner.uid for owner in secret.metadata.owner_references if is_credential(owner)}


def is_ours(credential: AgentCredential, secret: Secret) -> bool:
    """Whether the Secret is the credential's: by owner reference, or, where no credential owns it, by what status names.

    An annotation proves nothing, because a copy of the Secret carries it.
    """
    if secret.type != SECRET_TYPE:
        return False
    owners = owning_credentials(secret)
    return credential.metadata.uid in owners if owners else is_bound(credential, secret)


def is_bound(credential: AgentCredential, secret: Secret) -> bool:
    """Whether the credential's status names this Secret."""
    binding = credential.status.binding
    return binding is not None and binding.name == secret.metadata.name


def inspect(credential: AgentCredential, name: str, secret: Secret | None, endpoints: Endpoints) -> Delivery:
    """What is known of the Secret of this name."""
    if secret is None:
        return Delivery(name)
    value = client_secret_in(secret, credential)
    hint = secrets.hint_of(credential.metadata.uid, value) if value else None
    if not is_ours(credential, secret):
        return Delivery(name, SecretOwnership.FOREIGN)
    intact = not changes(secret, secret_for(credential, value or b"", endpoints))
    return Delivery(name, SecretOwnership.OURS, hint, intact, terminating=secret.metadata.deletion_timestamp is not None)


def _owner(credential: AgentCredential) -> OwnerReference:
    meta = credential.metadata
    return OwnerReference(
        api_version=f"{GROUP}/{VERSION}", kind="AgentCredential", name=meta.name, uid=meta.uid, controller=True
    )


def is_credential(owner: OwnerReference) -> bool:
    """Whether the owner is an AgentCredential, of whichever version."""
    return owner.kind == "AgentCredential" and owner.api_version.partition("/")[0] == GROUP


def _missing_owner(owners: Iterable[OwnerReference], ours: OwnerReference) -> list[dict[str, Any]]:
    """Our entry, where it is not as it should be. Of all owners one may be the controller: another one stays it."""
    others_control = any(owner.controller for owner in owners if owner.uid != ours.uid)
    wanted = replace(ours, controller=not others_control)
    current = next((owner for owner in owners if owner.uid == ours.uid), None)
    if current and replace(current, block_owner_deletion=False) == wanted:
        return []
    return [msgspec.to_builtins(wanted)]


def _difference(current: Mapping[str, Any], wanted: Mapping[str, Any], ours: Iterable[str]) -> dict[str, Any]:
    """What to set, and with None what to remove; `ours` has the keys as `fieldsV1` writes them."""
    removed = {key: None for key in current if key not in wanted and _field(key) in ours}
    return removed | {key: value for key, value in wanted.items() if current.get(key) != value}


def _without(current: Mapping[str, str], wanted: Mapping[str, str], ours: Iterable[str]) -> dict[str, str]:
    return {key: value for key, value in current.items() if key not in wanted and _field(key) not in ours}


def _owned_alone(
    current: Iterable[str],
    entries: Iterable[ManagedFieldsEntry],
    part: Callable[[MetadataFields], dict[str, FieldLeaf]],
) -> dict[str, FieldLeaf]:
    ours, others = dict[str, FieldLeaf](), set[str]()
    for entry in entries:
        fields = part(entry.fields_v1.metadata)
        if entry.manager == FIELD_MANAGER:
            ours |= fields
        else:
            others |= fields.keys()
    return {field: ours[field] for field in map(_field, current) if field in ours and field not in others}


def _field(key: str) -> str:
    return f"f:{key}"


def _filled(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part}
