"""New resources as people write them, by sentence: values near every bound, right and wrong, and a case for each CEL rule."""

from typing import NamedTuple

from tests.support.crd_schema import Manifest
from tests.support.manifests import AGENT_ID, BCRYPT, a_credential, a_resource, a_secret, an_agent


def administered_by(*entries: Manifest) -> Manifest:
    """An Organization with these administrators."""
    return a_resource("Organization", {"administrators": list(entries)})


class Refused(NamedTuple):
    """An invalid resource and what the message must say."""

    resource: Manifest
    message: str


REFUSED = {
    "an agent id in upper case": Refused(an_agent(agentId=AGENT_ID.upper()), "spec.agentId"),
    "an agent id without hyphens": Refused(an_agent(agentId=AGENT_ID.replace("-", "")), "spec.agentId"),
    "an email without a domain": Refused(an_agent(email="screener"), "spec.email"),
    "an email with a display name": Refused(an_agent(email="Screener <screener@agents.example>"), "spec.email"),
    "an email with two @": Refused(an_agent(email="a@b@agents.example"), "spec.email"),
    "a version with a leading v": Refused(an_agent(version="v1.4.0"), "spec.version"),
    "a version of two numbers": Refused(an_agent(version="1.4"), "spec.version"),
    "a version with a leading zero": Refused(an_agent(version="1.04.0"), "spec.version"),
    "a capability without an action": Refused(an_agent(capabilities=["resume"]), "spec.capabilities[0]"),
    "a capability with an empty action": Refused(an_agent(capabilities=["resume:"]), "spec.capabilities[0]"),
    "a capability for every resource": Refused(an_agent(capabilities=["*:read"]), "spec.capabilities[0]"),
    "an empty owner": Refused(an_agent(owner=""), "spec.owner"),
    "an owner that ends with a space": Refused(an_agent(owner="talent "), "spec.owner"),
    "an owner of two lines": Refused(an_agent(owner="talent\nplatform"), "spec.owner"),
    "an organization with a dot": Refused(an_agent(organizationId="acme.example"), "spec.organizationId"),
    "an empty scope": Refused(an_agent(scopes=[""]), "spec.scopes[0]"),
    "two scopes in one item": Refused(an_agent(scopes=["agents:read agents:write"]), "spec.scopes[0]"),
    "a scope with a quote": Refused(an_agent(scopes=['"agents"']), "spec.scopes[0]"),
    "a scope with a backslash": Refused(an_agent(scopes=["agents\\read"]), "spec.scopes[0]"),
    "an audience with a fragment": Refused(an_agent(audiences=["https://api.example/#v1"]), "spec.audiences[0]"),
    "a relative audience": Refused(an_agent(audiences=["api.example/v1"]), "spec.audiences[0]"),
    "an audience with a space": Refused(an_agent(audiences=["https://api.example/a b"]), "spec.audiences[0]"),
    "an audience with half an escape": Refused(an_agent(audiences=["https://api.example/%2"]), "spec.audiences[0]"),
    "a ServiceAccount of another namespace": Refused(
        an_agent(workloads=[{"serviceAccountName": "other/screener"}]), "spec.workloads[0].serviceAccountName"
    ),
    "no secrets and no workloads": Refused(
        an_agent(credentialPolicy="WorkloadOnly"), "spec.credentialPolicy WorkloadOnly needs spec.workloads"
    ),
    "no secrets and an empty list of workloads": Refused(
        an_agent(credentialPolicy="WorkloadOnly", workloads=[]), "spec.credentialPolicy WorkloadOnly needs spec.workloads"
    ),
    "an unknown policy": Refused(an_agent(credentialPolicy="Anything"), "spec.credentialPolicy"),
    "a time without a zone": Refused(an_agent(tokensValidAfter="2026-03-01T12:00:00"), "spec.tokensValidAfter"),
    "a day for a time": Refused(an_agent(tokensValidAfter="2026-03-01"), "spec.tokensValidAfter"),
    "a day that does not exist": Refused(an_agent(tokensValidAfter="2026-02-30T12:00:00Z"), "spec.tokensValidAfter"),
    "an hour that does not exist": Refused(an_agent(tokensValidAfter="2026-03-01T24:00:00Z"), "spec.tokensValidAfter"),
    "a leap second": Refused(an_agent(tokensValidAfter="2026-06-30T23:59:60Z"), "spec.tokensValidAfter"),
    "a zone that does not exist": Refused(an_agent(tokensValidAfter="2026-03-01T12:00:00+24:00"), "spec.tokensValidAfter"),
    "a time in lower case": Refused(an_agent(tokensValidAfter="2026-03-01t12:00:00z"), "spec.tokensValidAfter"),
    "the year 0": Refused(an_agent(tokensValidAfter="0000-03-01T12:00:00Z"), "spec.tokensValidAfter"),
    "the year 9999": Refused(an_agent(tokensValidAfter="9999-03-01T12:00:00Z"), "spec.tokensValidAfter"),
    "an agent in another namespace": Refused(a_credential(agentRef={"name": "other/screener"}), "spec.agentRef.name"),
    "an hourly rotation as a fraction": Refused(a_credential(rotation={"every": "0.5h"}), "spec.rotation.every"),
    "a rotation in days": Refused(a_credential(rotation={"every": "30d"}), "spec.rotation.every"),
    "a rotation before minutes": Refused(a_credential(rotation={"every": "30m1h"}), "spec.rotation.every"),
    "a rotation of an empty duration": Refused(a_credential(rotation={"every": ""}), "spec.rotation.every"),
    "a negative overlap": Refused(a_credential(rotation={"overlap": "-1h"}), "spec.rotation.overlap"),
    "a rotation every 59 s": Refused(a_credential(rotation={"every": "59s"}), "spec.rotation.every must be from 1m to"),
    "a rotation in more than a year": Refused(
        a_credential(rotation={"every": "8760h1s"}), "spec.rotation.every must be from 1m to"
    ),
    "an overlap of more than 30 days": Refused(
        a_credential(rotation={"overlap": "720h1s"}), "spec.rotation.overlap must be at most"
    ),
    "an overlap as long as the interval": Refused(
        a_credential(rotation={"every": "1h", "overlap": "60m"}), "spec.rotation.overlap must be shorter"
    ),
    "a bound of more than a year": Refused(
        a_credential(rotation={"overlap": "1h", "maxOverlap": "8760h1s"}), "spec.rotation.maxOverlap must be at most"
    ),
    "a bound shorter than the overlap": Refused(
        a_credential(rotation={"overlap": "1h", "maxOverlap": "59m"}), "spec.rotation.maxOverlap must be at least"
    ),
    "a bound of the overlap without WhenUnused": Refused(
        a_credential(rotation={"overlap": "1h", "maxOverlap": "2h"}), "spec.rotation.maxOverlap has an effect with"
    ),
    "a schedule for a hash that its owner provides": Refused(
        a_credential(rotation={"every": "24h"}, secretHash={"hash": BCRYPT}), "spec.rotation.every has no effect with"
    ),
    "a bound without an overlap": Refused(
        a_credential(rotation={"maxOverlap": "1h"}), "spec.rotation.maxOverlap must be at least"
    ),
    "retirement of the unused without an overlap": Refused(
        a_credential(rotation={"retire": "WhenUnused"}), "spec.rotation.retire WhenUnused needs"
    ),
    "an unknown retirement": Refused(a_credential(rotation={"overlap": "1h", "retire": "Never"}), "spec.rotation.retire"),
    "a Secret in another namespace": Refused(a_secret(name="other/screener"), "spec.secret.name"),
    "a Secret's name in upper case": Refused(a_secret(name="Screener"), "spec.secret.name"),
    "a key with a slash": Refused(a_secret(keys={"clientId": "a/b"}), "spec.secret.keys.clientId"),
    "the key ..": Refused(a_secret(keys={"clientId": ".."}), "spec.secret.keys.clientId"),
    "the key .": Refused(a_secret(keys={"clientId": "."}), "spec.secret.keys.clientId"),
    "one key for two values": Refused(
        a_secret(keys={"clientId": "value", "clientSecret": "value"}), "spec.secret.keys must be four different names"
    ),
    "a key that is the default of another": Refused(
        a_secret(keys={"clientId": "client_secret"}), "spec.secret.keys must be four different names"
    ),
    "a label with a space in its value": Refused(a_secret(labels={"team": "a b"}), "spec.secret.labels must have values"),
    "a label with a space in its key": Refused(a_secret(labels={"the team": "a"}), "spec.secret.labels must have keys"),
    "a label with a key of 64 characters": Refused(a_secret(labels={"k" * 64: "a"}), "spec.secret.labels must have keys"),
    "a label with a long prefix": Refused(a_secret(labels={"p" * 254 + "/key": "a"}), "spec.secret.labels must have keys"),
    "a label with the operator's prefix": Refused(
        a_secret(labels={"idp.sentryagent.ai/agent": "a"}), "spec.secret.labels cannot have keys"
    ),
    "an annotation with an empty key": Refused(a_secret(annotations={"": "a"}), "spec.secret.annotations must have keys"),
    "an annotation with the operator's prefix": Refused(
        a_secret(annotations={"idp.sentryagent.ai/agent": "a"}), "spec.secret.annotations cannot have keys"
    ),
    "an annotation with the operator's prefix in capitals": Refused(
        a_secret(annotations={"IDP.sentryagent.ai/agent": "a"}), "spec.secret.annotations cannot have keys"
    ),
    "a hash of cost 9": Refused(a_credential(secretHash={"hash": BCRYPT.replace("$10$", "$09$")}), "spec.secretHash.hash"),
    "a hash of cost 15": Refused(a_credential(secretHash={"hash": BCRYPT.replace("$10$", "$15$")}), "spec.secretHash.hash"),
    "a hash of another bcrypt": Refused(
        a_credential(secretHash={"hash": BCRYPT.replace("$2b", "$2a")}), "spec.secretHash.hash"
    ),
    "a hash that is cut off": Refused(a_credential(secretHash={"hash": BCRYPT[:-1]}), "spec.secretHash.hash"),
    "a secret in place of its hash": Refused(
        a_credential(secretHash={"hash": "sk_live_0123456789abcdef0123456789abcdef"}),
        "spec.secretHash.hash must be a bcrypt hash",
    ),
    "a hint of 7 digits": Refused(a_credential(secretHash={"hash": BCRYPT, "hint": "0a1b2c3"}), "spec.secretHash.hint"),
    "both a Secret and a hash": Refused(
        a_credential(secret={"name": "screener"}, secretHash={"hash": BCRYPT}), "spec.secret and spec.secretHash exclude"
    ),
    "an organization with a dot in its name": Refused(
        a_resource("Organization", name="acme.example"), "metadata.name is the organization id"
    ),
    "an organization with a name of 64 characters": Refused(
        a_resource("Organization", name="a" * 64), "metadata.name is the organization id"
    ),
    "an organization that allows no scope": Refused(a_resource("Organization", {"allowedScopes": []}), "spec.allowedScopes"),
    "an administrator of every scope": Refused(administered_by({"namespace": "a", "scopes": ["*"]}), "scopes[0]"),
    "an administrator of every scope of agents": Refused(
        administered_by({"namespace": "a", "scopes": ["agents:*"]}), "scopes[0]"
    ),
    "an administrator without a scope": Refused(administered_by({"namespace": "a", "scopes": []}), "scopes"),
    "an administrator of every namespace": Refused(
        administered_by({"namespace": "*", "scopes": ["agents:read"]}), "administrators[0].namespace"
    ),
    "two entries of one administrator": Refused(
        administered_by(*[{"namespace": "a", "scopes": ["agents:read"]}] * 2), "Duplicate value"
    ),
    "a revocation whose name is no UUID": Refused(a_resource("TokenRevocation", name="token"), "metadata.name is the jti"),
}

ACCEPTED = {
    "the smallest agent": an_agent(),
    "an id": an_agent(agentId=AGENT_ID),
    "an email without a dot in its domain": an_agent(email="screener+1@agents"),
    "a version with everything": an_agent(version="1.0.0-alpha-a.b-c+build.1-aef.1-its-okay"),
    "a capability for every action": an_agent(capabilities=["email:*"]),
    "an owner of 128 characters that are not ASCII": an_agent(owner="é" * 128),
    "a scope of every character that RFC 6749 allows": an_agent(
        scopes=["".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\')]
    ),
    "no scopes": an_agent(scopes=[]),
    "audiences of every form": an_agent(
        audiences=["https://api.example:8443/v1?a=%20b", "urn:example:a", "spiffe://example/sa"]
    ),
    "workloads beside secrets": an_agent(workloads=[{"serviceAccountName": "screener"}]),
    "workloads alone": an_agent(workloads=[{"serviceAccountName": "screener.v2"}], credentialPolicy="WorkloadOnly"),
    "no workloads, said": an_agent(workloads=[], credentialPolicy="SecretsAllowed"),
    "a time in another zone": an_agent(tokensValidAfter="2026-03-01T12:00:00-05:30"),
    "a time to the nanosecond": an_agent(tokensValidAfter="2026-03-01T12:00:00.123456789Z"),
    "a leap day": an_agent(tokensValidAfter="2028-02-29T12:00:00Z"),
    "the earliest time": an_agent(tokensValidAfter="1000-01-01T00:00:00+23:59"),
    "the latest time": an_agent(tokensValidAfter="2999-12-31T23:59:59.999999999-23:59"),
    "the smallest credential": a_credential(),
    "the shortest rotation": a_credential(rotation={"every": "1m", "overlap": "59s"}),
    "the longest rotation": a_credential(rotation={"every": "8760h", "overlap": "720h"}),
    "an overlap without a schedule": a_credential(rotation={"overlap": "0s"}),
    "retirement after the overlap, said": a_credential(rotation={"retire": "AfterOverlap"}),
    "retirement of the unused, without a bound": a_credential(rotation={"overlap": "1h", "retire": "WhenUnused"}),
    "retirement of the unused, with the least bound": a_credential(
        rotation={"overlap": "1h", "maxOverlap": "60m", "retire": "WhenUnused"}
    ),
    "an empty rotation": a_credential(rotation={}),
    "an empty Secret": a_secret(),
    "keys with defaults beside them": a_secret(keys={"clientId": "AZURE_CLIENT_ID"}),
    "keys that swap the defaults": a_secret(keys={"clientId": "client_secret", "clientSecret": "client_id"}),
    "a key that begins with a dot": a_secret(keys={"clientId": ".env"}),
    "labels with and without a prefix": a_secret(labels={"team": "", "example.com/team": "Talent_1.a", "k" * 63: "v" * 63}),
    "annotations of any text": a_secret(annotations={"example.com/Purpose": "a\nb " * 1000}),
    "the highest cost of a hash": a_credential(secretHash={"hash": BCRYPT.replace("$10$", "$14$")}),
    "a hash with its hint": a_credential(secretHash={"hash": BCRYPT, "hint": "0a1b2c3d"}),
    "the smallest organization": a_resource("Organization"),
    "an organization with a name of 63 characters": a_resource("Organization", name="a" * 63),
    "an administrator whose namespace is not admitted": administered_by({"namespace": "a", "scopes": ["agents:write"]}),
    "a pending change": a_resource("PendingChange"),
    "a revocation": a_resource("TokenRevocation"),
}
