"""What a client may have for what it asks, prepared: the grant is decided and its claims are encoded once.

An offer stands as long as the agent and its organization are the very values that it was made of.
"""

import msgspec
from msgspec import Struct

from agentidp.domain.access_tokens import Draft, draft
from agentidp.domain.clients import ClientAgent
from agentidp.domain.grants import Asked, decide_grant
from agentidp.domain.oauth_errors import OAuthError
from agentidp.domain.resources import Organization
from token_service.accepted import Accepted

MOST = 10_000

Key = tuple[str, str | None, str | None, tuple[str, ...]]
"""The agent, the credential if there is one, and what is asked for."""


class Offer(Struct, frozen=True, gc=False):
    """A token's claims, and what follows the token in the answer."""

    draft: Draft
    rest: bytes
    agent: ClientAgent
    organization: Organization | None


class Offers:
    """A bounded cache; the oldest go first."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._offers: dict[Key, Offer] = {}

    def find(self, client: Accepted, scope: str | None, resources: tuple[str, ...]) -> Offer | OAuthError:
        """What this client gets when it asks for this."""
        key = client.agent.agent_id, client.credential_id, scope, resources
        offer = self._offers.get(key)
        if offer and offer.agent is client.agent and offer.organization is client.organization:
            return offer
        made = self._make(client, Asked(scope, resources))
        if isinstance(made, Offer):
            self._keep(key, made)
        return made

    def _make(self, client: Accepted, asked: Asked) -> Offer | OAuthError:
        grant = decide_grant(asked, client.agent, client.organization, self._issuer)
        if isinstance(grant, OAuthError):
            return grant
        begun = draft(self._issuer, client.agent, client.credential_id, grant)
        beside = {"token_type": "Bearer", "expires_in": begun.lifetime} | ({"scope": grant.scope} if grant.scope else {})
        return Offer(begun, b'",' + msgspec.json.encode(beside)[1:], client.agent, client.organization)

    def _keep(self, key: Key, offer: Offer) -> None:
        self._offers.pop(key, None)
        if len(self._offers) >= MOST:
            del self._offers[next(iter(self._offers))]
        self._offers[key] = offer
