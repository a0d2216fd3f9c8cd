"""Every limit that no setting names, on one screen. Wiring passes one `Limits` to all parts; a test passes another one."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds, rates per second, everything else in numbers."""

    max_body_bytes: int = 16_384
    """The largest body of a request."""
    max_token_length: int = 16_384
    """The longest bearer token, in characters."""
    cache_entries: int = 10_000
    """Answers about callers that one cache keeps."""
    cache_entries_per_tenant: int = 1_000
    """Answers about the callers of one tenant among them."""
    access_review_seconds: float = 5.0
    """An answer to a SubjectAccessReview is relied on for so long."""
    missing_agent_seconds: float = 3600.0
    """An agent that the API server did not have is not looked up again for so long; one that is created comes by the watch."""
    keys_timeout_seconds: float = 3.0
    """The token service has so long to send its keys."""
    keys_refresh_seconds: float = 300.0
    """Keys that are older are fetched again."""
    keys_retry_seconds: float = 2.0
    """Pause between two fetches of the keys."""
    keys_max_age_seconds: float = 3600.0
    """Keys that are older are not trusted: they may have been withdrawn."""
    propagation_seconds: float = 5.0
    """A change that is published waits so long for every replica of the token service to apply it."""
    replica_answer_seconds: float = 2.0
    """A replica that is asked whether it answers at all, before a change, has so long."""
    replica_retry_seconds: float = 0.1
    """Pause before a replica is asked again."""
    write_attempts: int = 6
    """A write that meets a conflict is tried so many times in all."""
    rollback_retry_seconds: float = 5.0
    """Pause before a rollback that failed is tried again by the process that owes it."""
    rollback_sweep_seconds: float = 5.0
    """Pause between two lists of the pending changes of all processes."""
    abandoned_after_seconds: float = 30.0
    """A pending change that is older than `confirm_seconds` (a setting) and this is abandoned by its process."""
    retention_sweep_seconds: float = 10.0
    """Pause between two sweeps of ended records."""
    retention_deletions: int = 1_000
    """Credentials that one sweep deletes in one namespace, so that a full namespace does not delay others."""
    token_reviews_per_second: float = 20.0
    """TokenReviews for each tenant whose tokens are proven to be its own."""
    token_review_burst: int = 200
    """So many of them at once."""
    unproven_token_reviews_per_second: float = 20.0
    """TokenReviews for all tokens of issuers that only the API server knows, together."""
    unproven_token_review_burst: int = 100
    """So many of them at once."""
    token_review_seconds: float = 10.0
    """A TokenReview is relied on for so long."""
    proven_tenant_seconds: float = 3600.0
    """A token that was reviewed as good takes its tenant's share for so long."""
    concurrent_reviews: int = 16
    """TokenReviews and SubjectAccessReviews under way; three quarters of them for one tenant at most."""


DEFAULT_LIMITS = Limits()
