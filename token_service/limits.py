"""Every limit of the token service that is no setting: one frozen value, which `wiring` passes to the parts.

Operators change what the environment says (`settings`). A limit here protects one tenant from another, or the process itself;
its field says what is bounded, in which unit, and for whom. Each replica applies its limits by itself.
"""

from msgspec import Struct

from agentidp.domain.identity.valid_after import PATIENCE_SECONDS


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of time, memory and rate. `Limits()` is what ships."""

    # Requests, before anything of them is understood (http.request).
    max_body_bytes: int = 16_384
    """Bytes of a form body."""
    body_timeout_seconds: float = 10.0
    """Seconds in which a body that comes in pieces must be complete."""
    max_authorization_bytes: int = 32_768
    """Bytes of an Authorization header: more than an access token with all scopes and audiences that an agent may have."""

    # Rejected requests (rate_limits).
    rejections_per_second: int = 50
    """Rejections in one second that are answered without a delay, of all clients together."""
    tarpit_seconds: float = 0.1
    """Seconds by which further rejections in the same second are delayed."""

    # Requests that wait for `spec.tokensValidAfter` (issuance.tokens_valid_after).
    valid_after_patience_seconds: float = PATIENCE_SECONDS
    """Seconds that one request may wait: 6.5. The operator tells what comes of it, so it is the domain's constant."""
    max_valid_after_waiters: int = 500
    """Requests that wait, in all."""
    max_valid_after_waiters_of_namespace: int = 125
    """Requests that wait, of the agents of one namespace."""
    max_valid_after_waiters_of_client: int = 100
    """Requests that wait, of one client."""

    # Memory of requests and secrets.
    request_cache_bytes: int = 64 * 1024 * 1024
    """Bytes that cached requests keep in memory (issuance.request_cache)."""
    max_verified_secrets: int = 200_000
    """Client credentials that bcrypt has accepted (client_secrets.verified_secrets)."""
    max_mismatches: int = 20_000
    """Pairs of hash and secret that bcrypt has rejected (client_secrets.verified_secrets)."""
    max_rejected_secrets: int = 50_000
    """Client credentials that the API server's state has rejected lately."""
    rejected_seconds: float = 10.0
    """Seconds for which such client credentials cause no live read."""

    # Secrets that no hint tells from a guess (client_secrets.brute_force, client_secrets.verifier).
    wrong_secrets_per_second: float = 0.2
    """Wrong secrets a second, of one address at one client."""
    wrong_secrets_burst: int = 10
    """Wrong secrets at once, of one address at one client."""
    max_guarded_clients: int = 16
    """Clients whose secrets are checked as guesses at the same time."""
    max_guarded_clients_of_namespace: int = 4
    """Such clients of one namespace, while no other namespace has any."""
    max_guarded_addresses: int = 16
    """Addresses that wait for a check at one client."""
    wrong_secret_pause_seconds: float = 0.2
    """Seconds after a wrong secret in which no other guess at the same client is checked."""
    misleading_hints_per_second: float = 0.2
    """Wrong secrets a second, of one client, that have the hint of a hash and are checked in the shared threads."""
    misleading_hints_burst: int = 10
    """Such secrets at once; further ones are checked as guesses."""

    # Reads of one client from the API server (cluster.live_reads).
    live_read_timeout_seconds: float = 2.0
    """Seconds until a read counts as failed."""
    live_reads_per_second: float = 20.0
    """Reads a second, for each of three sorts of clients: unknown ones, known ones, and those that a token names."""
    live_reads_burst: int = 200
    """Reads at once, for each sort."""
    live_reads_of_namespace_per_second: float = 5.0
    """Reads a second of the known clients of one namespace."""
    live_reads_of_namespace_burst: int = 50
    """Reads at once of the known clients of one namespace."""
    live_reads_of_client_per_second: float = 2.0
    """Reads a second of one client."""
    live_reads_of_client_burst: int = 8
    """Reads at once of one client."""
    recheck_patience_seconds: float = 1.0
    """Seconds that a rejected request waits for the watch where no live read is allowed."""
    max_recheck_waiters: int = 1000
    """Requests that wait for the watch."""

    # Revocations, each of which is an object in etcd until its token has expired (rate_limits).
    revocations_per_second: float = 1.0
    """Revocations a second by one client."""
    revocations_burst: int = 100
    """Revocations at once by one client."""
    max_revocations: int = 1_000
    """Revoked tokens of one client that have not expired."""
    namespace_revocation_factor: int = 5
    """All clients of a namespace together may have this many times the revocations of one client."""
    revocation_retry_seconds: int = 60
    """`Retry-After` where `max_revocations` are reached: the shortest lifetime of an access token."""

    # Reads of the ServiceAccounts that client assertions name (authentication.service_accounts).
    service_account_fresh_seconds: float = 60.0
    """Seconds for which a read serves."""
    service_account_seconds_between: float = 1.0
    """Seconds between two reads of one ServiceAccount."""
    service_account_retry_seconds: float = 5.0
    """Seconds for which an earlier read serves after a read has failed."""
    service_account_timeout_seconds: float = 2.0
    """Seconds until a read counts as failed."""
    service_account_reads_per_second: float = 20.0
    """Reads a second for each namespace."""
    service_account_reads_burst: int = 200
    """Reads at once for each namespace."""
    max_service_accounts: int = 50_000
    """ServiceAccounts whose read is kept."""
    service_account_log_lines_per_second: float = 0.2
    """Log lines a second about reads that failed."""

    # What is noted of used secrets (authentication.last_used).
    seconds_between_notes: int = 60
    """Seconds between two notes of one hash that is not being retired."""
    last_used_slack: int = 100
    """Notes of hashes that are not published any more, beyond as many as there are of published ones."""


LIMITS = Limits()
"""What ships."""
