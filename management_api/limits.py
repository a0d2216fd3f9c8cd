"""Every limit that no setting names, on one screen. Wiring passes one `Limits` to all parts; a test passes another one."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds, rates per second, everything else in numbers. Grouped by the folder that holds them."""

    # http
    max_body_bytes: int = 16_384
    """The largest body of a request."""

    # auth
    max_token_length: int = 16_384
    """The longest bearer token, in characters."""
    max_cache_entries: int = 10_000
    """Answers about callers that one cache keeps."""
    max_cache_entries_per_tenant: int = 1_000
    """Answers about the callers of one tenant among them."""
    max_concurrent_reviews: int = 16
    """TokenReviews and SubjectAccessReviews under way; three quarters of them for one tenant at most."""
    token_reviews_per_second: float = 20.0
    """TokenReviews for each tenant whose tokens are proven to be its own."""
    max_token_review_burst: int = 200
    """TokenReviews for one such tenant at once."""
    unproven_token_reviews_per_second: float = 20.0
    """TokenReviews for all tokens of issuers that only the API server knows, together."""
    max_unproven_token_review_burst: int = 100
    """TokenReviews for such tokens at once."""
    token_review_seconds: float = 10.0
    """Time for which an answer to a TokenReview is cached."""
    proven_tenant_seconds: float = 3600.0
    """Time for which a token that was accepted takes the share of its tenant."""
    access_review_seconds: float = 5.0
    """Time for which an answer to a SubjectAccessReview is cached."""
    missing_agent_seconds: float = 3600.0
    """Time for which the absence of an agent is cached; an agent that is created meanwhile comes with the watch."""
    keys_timeout_seconds: float = 3.0
    """Timeout of one fetch of the token service's keys."""
    keys_refresh_seconds: float = 300.0
    """Age at which the keys are fetched again."""
    keys_retry_seconds: float = 2.0
    """Least pause between two fetches of the keys."""
    keys_max_age_seconds: float = 3600.0
    """Age from which keys are not trusted: they may have been withdrawn."""

    # operations
    max_write_attempts: int = 6
    """Attempts at a write that meets conflicts, the first one included."""
    propagation_seconds: float = 5.0
    """Timeout of a published change until every replica of the token service has applied it."""
    replica_answer_seconds: float = 2.0
    """Timeout of the question before a change whether every replica answers."""
    replica_retry_seconds: float = 0.1
    """Pause before a replica that has not applied a change is asked again."""
    rollback_retry_seconds: float = 5.0
    """Pause before a rollback that failed is tried again by the process that owes it."""
    rollback_sweep_seconds: float = 5.0
    """Pause between two lists of the pending changes of all processes."""
    abandoned_after_seconds: float = 30.0
    """Time after `confirm_seconds` (a setting) from which a pending change counts as abandoned by its process."""
    retention_sweep_seconds: float = 10.0
    """Pause between two sweeps of ended records."""
    max_deletions_per_namespace: int = 1_000
    """Credentials that one sweep deletes in one namespace, so that a full namespace does not delay others."""


DEFAULT_LIMITS = Limits()
