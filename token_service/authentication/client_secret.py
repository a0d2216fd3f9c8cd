"""Is this pair a client's? Judged by the index, with bcrypt once for a first sight, and a second look before a refusal.

Every refusal goes the same way and gets the same answer, whatever was wrong: unknown client, wrong secret, suspended,
revoked, expired. The reason is for the log.
"""

import time
from collections.abc import Callable
from functools import partial

from agentidp.domain.identity.client_status import accepting_hash, agent_failure, credential_failure, fitting_hashes
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.secrets.client_secrets import MAX_SECRET_BYTES
from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests, unavailable
from agentidp.http_server.asgi import Receive
from agentidp.runtime.pools.bcrypt_pool import Busy
from token_service.authentication.failure import AuthenticationFailure, FailureReason
from token_service.authentication.live_recheck import LiveRecheck
from token_service.authentication.result import AuthenticatedClient, AuthenticationResult, ClientBySecret
from token_service.client_secrets.brute_force import TooManyAttempts
from token_service.client_secrets.candidates import Candidate, CandidateMatcher
from token_service.client_secrets.verified_secrets import VerifiedSecrets
from token_service.client_secrets.verifier import SecretVerifier
from token_service.cluster.clients import ClientIndex
from token_service.http.client_authentication import ClientCredentials
from token_service.http.disconnection import ClientLeft, while_connected
from token_service.http.request import CLIENT_LEFT

FOR_EVER = float("inf")


class ClientSecretAuthenticator:
    """Judges pairs by one index."""

    def __init__(
        self, index: ClientIndex, verifier: SecretVerifier, second_look: LiveRecheck, clock: Callable[[], float] = time.time
    ) -> None:
        self._index = index
        self._checks = CandidateMatcher(verifier)
        self._second_look = second_look
        self._clock = clock
        self._verified = VerifiedSecrets()

    async def authenticate(self, pair: ClientCredentials, receive: Receive | None = None) -> AuthenticationResult:
        """Whose pair it is. `receive` tells when its client leaves: then no bcrypt is begun for it."""
        digest = self._verified.digest(pair)
        accepted = self._recognise(self._index, pair, digest)
        if accepted:
            return accepted
        try:
            return await self._judge(pair, digest, receive)
        except Busy as busy:
            return unavailable("Too many secrets are being checked.", busy.retry_after)
        except ClientLeft:
            return CLIENT_LEFT
        except TooManyAttempts as guesses:
            return too_many_requests("Too many wrong secrets; wait before the next try.", guesses.retry_after)

    async def _judge(self, pair: ClientCredentials, digest: bytes, receive: Receive | None) -> AuthenticationResult:
        """A pair that was not verified before. Raises Busy, TooManyGuesses and ClientLeft."""
        if not is_client_id(pair.client_id):
            return AuthenticationFailure.UNKNOWN_CLIENT
        examine = partial(self._examine, receive)
        outcome = await examine(self._index, pair, digest)
        if isinstance(outcome, AuthenticatedClient | OAuthError):
            return outcome
        return await self._second_look.at(pair, digest, outcome, examine)

    def _recognise(self, index: ClientIndex, pair: ClientCredentials, digest: bytes) -> ClientBySecret | None:
        """The client, if its secret was verified before and the hash that accepted it still does."""
        entry = self._verified.find(digest)
        agent = index.agent(pair.client_id) if entry else None
        credential = index.credential(agent, entry.credential_id) if entry and agent else None
        if entry is None or agent is None or credential is None:
            return None
        organization, now = index.organization(agent), self._clock()
        if agent_failure(agent, organization) or credential_failure(credential, agent, now):
            return None
        accepting = accepting_hash(credential, entry.hash, now)
        until = FOR_EVER if credential.expires is None else credential.expires
        return ClientBySecret(agent, organization, until, credential, accepting) if accepting else None

    async def _examine(
        self, receive: Receive | None, index: ClientIndex, pair: ClientCredentials, digest: bytes
    ) -> AuthenticationResult:
        """By the hashes of all its credentials; nothing is hashed for an agent that gets no token.

        Raises Busy, TooManyGuesses and ClientLeft.
        """
        accepted, agent = self._recognise(index, pair, digest), index.agent(pair.client_id)
        if accepted or agent is None:
            return accepted or AuthenticationFailure.UNKNOWN_CLIENT
        refused = agent_failure(agent, index.organization(agent))
        if refused or len(pair.secret) > MAX_SECRET_BYTES:
            return refused or AuthenticationFailure.WRONG_SECRET
        candidates = self._candidates(index, agent, pair)
        right = await while_connected(receive, self._checks.right_one(pair, digest, candidates)) if candidates else None
        if right is None:
            return self._why_none_fits(index, agent)
        self._verified.add(digest, right.credential.credential_id, right.hash.hash)
        return self._recognise(index, pair, digest) or AuthenticationFailure.OVERTAKEN

    def _candidates(self, index: ClientIndex, agent: ClientAgent, pair: ClientCredentials) -> list[Candidate]:
        """Hashes that the secret may have."""
        now = self._clock()
        accepted = (one for one in index.credentials_of(agent) if not credential_failure(one, agent, now))
        return [Candidate(one, hashed) for one in accepted for hashed in fitting_hashes(one, pair.secret, now)]

    def _why_none_fits(self, index: ClientIndex, agent: ClientAgent) -> FailureReason:
        """What is wrong with the credentials, if something is wrong with all of them: one of them was meant."""
        now, latest = self._clock(), index.credentials.table.latest_without_hash(agent)
        credentials = index.credentials_of(agent) or ([latest] if latest else [])
        reasons = [credential_failure(one, agent, now) for one in credentials]
        return (all(reasons) and reasons and reasons[-1]) or AuthenticationFailure.WRONG_SECRET
