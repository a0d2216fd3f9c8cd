"""POST /token: an access token for client credentials, RFC 6749, sections 4.4 and 5, with resource indicators, RFC 8707.

The client authenticates by HTTP Basic or form fields (section 2.3.1), or by a client assertion (RFC 7523, section 2.2).
Without `scope` or `resource` the token carries all that the agent may have.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.access_tokens import TokenWriter
from agentidp.domain.tokens.grants import TokenRequest
from agentidp.domain.tokens.oauth_errors import OUT_OF_TOUCH, ErrorCode, OAuthError, invalid_request, unavailable
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.authentication.last_used import LastUsedLog
from token_service.authentication.result import AuthenticatedClient, ClientBySecret
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import FORM_ERRORS, TEXT, error_responses, form_body, json_response
from token_service.http.form import Form
from token_service.http.request import FormRequest, RawRequest
from token_service.http.response import JsonResponse
from token_service.issuance.grant import PreparedGrant, prepare_grant
from token_service.issuance.request_cache import RequestCache
from token_service.issuance.tokens_valid_after import PATIENCE_SECONDS, TokensValidAfter
from token_service.rate_limits.daily_quota import DailyQuota

CLIENT_CREDENTIALS = "client_credentials"

_NO_GRANT_TYPE = invalid_request("grant_type is missing.")
_OTHER_GRANT_TYPE = OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE, "The only grant_type here is client_credentials.")
_NO_KEY = unavailable("There is no signing key yet.", 5)

DOCUMENTATION: dict[str, Any] = {
    "summary": "Get an access token for client credentials",
    "description": (
        "RFC 6749, section 4.4. Without scope and resource, all that the agent may have. The claim credential_id names the"
        " AgentCredential whose secret was shown; a token for the assertion of a workload has none."
    ),
    "tags": ["tokens"],
    "responses": {
        200: json_response(
            "The token.",
            {
                "type": "object",
                "required": ["access_token", "token_type", "expires_in"],
                "properties": {
                    "access_token": {"type": "string"},
                    "token_type": {"type": "string", "enum": ["Bearer"]},
                    "expires_in": {"type": "integer", "minimum": 60},
                    "scope": {"type": "string"},
                },
            },
        ),
        **error_responses(*FORM_ERRORS),
    },
    "openapi_extra": form_body(
        {
            "grant_type": {"type": "string", "enum": [CLIENT_CREDENTIALS]},
            "scope": TEXT | {"description": "Scope tokens with a space between two."},
            "resource": {"type": "array", "items": TEXT | {"description": "An absolute URI without a fragment."}},
        },
        required=["grant_type"],
    ),
}


class TokenEndpoint:
    """Trades client credentials for access tokens."""

    def __init__(
        self,
        issuer: str,
        callers: ClientAuthenticator,
        keys: SigningKeys,
        freshness: Freshness,
        usage: LastUsedLog,
        days: DailyQuota,
        recall: RequestCache,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._callers = callers
        self._keys = keys
        self._freshness = freshness
        self._usage = usage
        self._days = days
        self._recall = recall
        self._clock = clock
        self._kill_switches = TokensValidAfter(clock)

    async def handle(self, request: FormRequest) -> JsonResponse | OAuthError:
        """A token, or why there is none."""
        form = request.form
        if form.get("grant_type") != CLIENT_CREDENTIALS:
            return _OTHER_GRANT_TYPE if form.get("grant_type") else _NO_GRANT_TYPE
        if not self._freshness.is_fresh():
            return OUT_OF_TOUCH
        client = await self._client(request)
        if isinstance(client, OAuthError):
            return client
        offer = self._offer(client, form)
        if isinstance(offer, OAuthError):
            return offer
        writer = self._keys.writer()
        if writer is None:
            return _NO_KEY
        self._recall.add(request.sent, client, offer)
        return self._issue(request.sent, client, offer, writer)

    def recall(self, sent: RawRequest) -> JsonResponse | OAuthError | None:
        """A token for a request that was served before, if all that decided about it then still stands."""
        served, writer = self._recall.find(self._recall.digest(sent)), self._keys.writer()
        if served is None or writer is None or not self._freshness.is_fresh():
            return None
        client = served.client
        refusal = self._callers.count(client) or self._days.take(client.organization)
        return refusal or self._issue(sent, client, served.offer, writer)

    def _issue(self, sent: RawRequest, client: AuthenticatedClient, offer: PreparedGrant, writer: TokenWriter) -> JsonResponse:
        if isinstance(client, ClientBySecret):
            self._usage.used(client.credential_id, client.hash, sent)
        token = writer.write(offer.draft, int(self._clock()), new_jti())
        return JsonResponse(200, b'{"access_token":"' + token + offer.rest)

    def _offer(self, client: AuthenticatedClient, form: Form) -> PreparedGrant | OAuthError:
        """What it may have, if its organization may have a token today."""
        offer = prepare_grant(client, TokenRequest(form.get("scope"), form.resources), self._issuer)
        return offer if isinstance(offer, OAuthError) else self._days.take(client.organization) or offer

    async def _client(self, request: FormRequest) -> AuthenticatedClient | OAuthError:
        """As it is judged now, when its token may be issued: whoever had to wait is judged again."""
        patience = PATIENCE_SECONDS
        while not isinstance(client := await self._callers.client(request), OAuthError):
            seconds = self._kill_switches.seconds_left(client.agent)
            if not seconds:
                return client
            refusal = await self._kill_switches.wait(client.agent, seconds, patience)
            if refusal:
                return refusal
            patience -= seconds
        return client


def new_jti() -> str:
    """A random UUID (RFC 9562, version 4); a TokenRevocation can have it as its name."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
