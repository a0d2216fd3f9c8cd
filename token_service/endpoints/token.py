"""POST /token: an access token for client credentials, RFC 6749, sections 4.4 and 5, with resource indicators, RFC 8707.

The client authenticates by HTTP Basic or form fields (RFC 6749, section 2.3.1), or by a client assertion (RFC 7523, section
2.2). Without `scope` or `resource` the token carries all that the agent may have. For a request that was granted before, the
request cache has the client and the grant, and the first two of the five steps are skipped.
"""

import time
from collections.abc import Callable
from typing import Any

from agentidp.cache.freshness import Freshness
from agentidp.domain.tokens.grants import TokenRequest
from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError, invalid_request, out_of_touch, unavailable
from agentidp.http_server.asgi import Receive
from token_service.authentication.authenticator import ClientAuthenticator
from token_service.authentication.result import AuthenticatedClient
from token_service.cluster.signing_keys import SigningKeys
from token_service.endpoints.openapi import FORM_ERRORS, TEXT, error_responses, form_body, json_response
from token_service.http.form import Form
from token_service.http.request import FormRequest, RawRequest, parse_request
from token_service.http.response import JsonResponse
from token_service.issuance.grant import RESPONSE_BEGIN, new_jti, prepare_grant
from token_service.issuance.request_cache import RequestCache
from token_service.issuance.tokens_valid_after import TokensValidAfter
from token_service.limits import LIMITS, Limits
from token_service.rate_limits import DailyQuota

CLIENT_CREDENTIALS = "client_credentials"

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
    """Grants access tokens for client credentials."""

    def __init__(
        self,
        issuer: str,
        authenticator: ClientAuthenticator,
        keys: SigningKeys,
        freshness: Freshness,
        daily_quota: DailyQuota,
        request_cache: RequestCache,
        valid_after: TokensValidAfter,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._authenticator = authenticator
        self._keys = keys
        self._freshness = freshness
        self._daily_quota = daily_quota
        self._request_cache = request_cache
        self._valid_after = valid_after
        self._patience_seconds = limits.valid_after_patience_seconds
        self._clock = clock

    async def handle(self, raw: RawRequest, receive: Receive) -> JsonResponse:
        """Answer a token request. Raises the failures that `form_endpoint.ERRORS` has."""
        cached = self._request_cache.find(raw) if self._freshness.is_fresh() else None
        if cached is None:
            # 1. Authenticate the client (RFC 6749, section 2.3), and wait for a `spec.tokensValidAfter` in the near future.
            #    The request is counted once against the client's rate, before it waits.
            request = parse_request(raw, receive)
            self._require_answerable(request.form)
            client = await self._authenticate(request)
            # 2. Evaluate scope and resource (RFC 6749, section 3.3; RFC 8707, section 2).
            form = request.form
            grant = prepare_grant(client, TokenRequest(form.get("scope"), form.resources), self._issuer)
        else:
            client, grant = cached.client, cached.grant
            self._authenticator.count(client, raw)

        # 3. Apply limits: `spec.limits.tokensPerDay` of the client's organization.
        self._daily_quota.take(client.agent, client.organization)

        # 4. Write the token (RFC 9068).
        writer = self._keys.writer()
        if writer is None:
            raise unavailable("There is no signing key yet.", 5)
        token = writer.write(grant.claims, int(self._clock()), new_jti())

        # 5. Answer (RFC 6749, section 5.1); a repetition of this request skips steps 1 and 2.
        if cached is None:
            self._request_cache.add(raw, client, grant)
        return JsonResponse(200, RESPONSE_BEGIN + token + grant.response_end)

    def _require_answerable(self, form: Form) -> None:
        """Raises OAuthError where the grant type is another one (RFC 6749, section 5.2), or the cluster cache is stale."""
        grant_type = form.get("grant_type")
        if grant_type is None:
            raise invalid_request("grant_type is missing.")
        if grant_type != CLIENT_CREDENTIALS:
            raise OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE, "The only grant_type here is client_credentials.")
        if not self._freshness.is_fresh():
            raise out_of_touch()

    async def _authenticate(self, request: FormRequest) -> AuthenticatedClient:
        """The client, authenticated again after each wait for its agent's `spec.tokensValidAfter`."""
        patience, client = self._patience_seconds, await self._authenticator.client(request)
        while seconds := self._valid_after.seconds_left(client.agent):
            await self._valid_after.wait(client.agent, seconds, patience)
            patience -= seconds
            client = await self._authenticator.client_again(request)
        return client
