"""Client secrets: authenticates a client by its id and secret.

Flows in: what a client has presented. Flows out: the client, or AuthenticationFailed with the reason for the log. A secret that
bcrypt has accepted before is found again by a keyed digest. Any other one is checked against views of the client, each newer
than the one before: first the cluster cache, then the API server's state, and where that may not be read the next changes that
the watch reports (`cluster.live_reads`). The client is rejected when no view is left. A secret that the API server's state has
rejected causes no live read for some seconds: only a change can make it right, and the watch reports changes.

All rejections take the same way, whatever was wrong: unknown client, wrong secret, suspended, revoked, expired.
"""

import re
import time
from collections.abc import Callable
from contextlib import aclosing

from agentidp.domain.identity.client_status import accepting_hash, agent_failure, credential_failure, fitting_hashes
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.secrets.client_secrets import MAX_SECRET_BYTES
from agentidp.http_server.asgi import Receive
from token_service.authentication.result import AuthenticationFailed, AuthenticationFailure, ClientBySecret, FailureReason
from token_service.client_secrets.verified_secrets import RejectedSecrets, VerifiedSecrets
from token_service.client_secrets.verifier import Candidate, SecretVerifier
from token_service.cluster.cache import ClientIndex
from token_service.cluster.live_reads import LiveRecheck
from token_service.http.presented_credentials import ClientCredentials
from token_service.http.request import while_connected

NEVER = float("inf")

_GENERATED = re.compile(rb"sk_live_[0-9a-f]{32}")
"""Secrets that the operator generates. No other secret can belong to a change that the watch has not reported yet."""


class ClientSecretAuthenticator:
    """Authenticates by the cluster cache, and by live views before a rejection."""

    def __init__(
        self,
        clients: ClientIndex,
        verifier: SecretVerifier,
        verified: VerifiedSecrets,
        rejected: RejectedSecrets,
        recheck: LiveRecheck,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._verifier = verifier
        self._verified = verified
        self._rejected = rejected
        self._recheck = recheck
        self._clock = clock

    async def authenticate(self, presented: ClientCredentials, receive: Receive | None = None) -> ClientBySecret:
        """The client. `receive` reports a disconnection, which cancels a check by a hint that waits for a thread.

        Guesses and live reads go on after a disconnection.

        Raises AuthenticationFailed, and where it cannot be decided now ApiError, Busy, ClientLeft, TooManyAttempts or
        TooManyWaiting.
        """
        if not is_client_id(presented.client_id):
            raise AuthenticationFailed(AuthenticationFailure.UNKNOWN_CLIENT, presented.client_id)
        digest = self._verified.digest(presented)
        try:
            return await self._check(self._clients, presented, digest, receive)
        except AuthenticationFailed:
            if not _GENERATED.fullmatch(presented.secret) or self._rejected.has_client(digest):
                raise
        return await self._check_again(presented, digest, receive)

    async def _check_again(self, presented: ClientCredentials, digest: bytes, receive: Receive | None) -> ClientBySecret:
        """The client by a newer view of it than the cluster cache had before."""
        reason: FailureReason = AuthenticationFailure.SUPERSEDED
        is_rejected_live = False
        async with aclosing(self._recheck.views(presented.client_id)) as views:
            async for view in views:
                try:
                    client = await self._check(view.clients, presented, digest, receive)
                    if view.is_current():
                        return client
                except AuthenticationFailed as failure:
                    reason = failure.reason
                    is_rejected_live |= view.is_live and view.is_current()
        if is_rejected_live:
            self._rejected.add_client(digest)
        raise AuthenticationFailed(reason, presented.client_id)

    def _verified_client(self, clients: ClientIndex, presented: ClientCredentials, digest: bytes) -> ClientBySecret | None:
        """The client, if bcrypt has accepted the secret before and the hash that accepted it still counts."""
        entry = self._verified.find(digest)
        agent = clients.agent(presented.client_id) if entry else None
        credential = clients.credential(agent, entry.credential_id) if entry and agent else None
        if entry is None or agent is None or credential is None:
            return None
        organization, now = clients.organization(agent), self._clock()
        if agent_failure(agent, organization) or credential_failure(credential, agent, now):
            return None
        accepting = accepting_hash(credential, entry.hash, now)
        until = NEVER if credential.expires is None else credential.expires
        return ClientBySecret(agent, organization, until, credential, accepting) if accepting else None

    async def _check(
        self, clients: ClientIndex, presented: ClientCredentials, digest: bytes, receive: Receive | None
    ) -> ClientBySecret:
        """The client by the hashes of all its credentials. No bcrypt runs for an agent that gets no token."""
        if client := self._verified_client(clients, presented, digest):
            return client
        agent = clients.agent(presented.client_id)
        if agent is None:
            raise AuthenticationFailed(AuthenticationFailure.UNKNOWN_CLIENT, presented.client_id)
        if reason := agent_failure(agent, clients.organization(agent)):
            raise AuthenticationFailed(reason, presented.client_id)
        if len(presented.secret) > MAX_SECRET_BYTES:
            raise AuthenticationFailed(AuthenticationFailure.WRONG_SECRET, presented.client_id)
        candidates = self._candidates(clients, agent, presented)
        match = await while_connected(receive, self._verifier.match(presented, digest, candidates)) if candidates else None
        if match is None:
            raise AuthenticationFailed(self._reason_without_match(clients, agent), presented.client_id)
        self._verified.add(digest, match.credential.credential_id, match.hash.hash)
        # bcrypt took a while: the client is accepted only if the hash still counts.
        if client := self._verified_client(clients, presented, digest):
            return client
        raise AuthenticationFailed(AuthenticationFailure.SUPERSEDED, presented.client_id)

    def _candidates(self, clients: ClientIndex, agent: ClientAgent, presented: ClientCredentials) -> list[Candidate]:
        """The hashes that may be the secret's."""
        now = self._clock()
        usable = (credential for credential in clients.credentials_of(agent) if not credential_failure(credential, agent, now))
        return [
            Candidate(credential, hashed)
            for credential in usable
            for hashed in fitting_hashes(credential, presented.secret, now)
        ]

    def _reason_without_match(self, clients: ClientIndex, agent: ClientAgent) -> FailureReason:
        """Where no credential of the agent is accepted, the reason of the last one; otherwise the secret is wrong."""
        now, latest = self._clock(), clients.credentials.table.latest_without_hash(agent)
        credentials = clients.credentials_of(agent) or ([latest] if latest else [])
        reasons = [reason for credential in credentials if (reason := credential_failure(credential, agent, now))]
        if reasons and len(reasons) == len(credentials):
            return reasons[-1]
        return AuthenticationFailure.WRONG_SECRET
