"""What is counted: every family with all its label values, known when the program starts, so label sets are bounded."""

from dataclasses import dataclass
from itertools import product

from agentidp.domain.assertions import Flaw
from agentidp.domain.oauth_errors import ErrorCode
from agentidp.domain.reasons import Reason
from token_service.refusals import Refusal

ROUTES = ("token", "introspect", "revoke")
OK, RATE_LIMITED = "ok", "rate_limited"
OUTCOMES = (OK, RATE_LIMITED, *(code.value for code in ErrorCode))
KINDS = ("agents", "agentcredentials", "organizations", "tokenrevocations", "secrets")
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency buckets, in seconds."""


@dataclass(frozen=True)
class Family:
    """A metric with all its series."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)


def _by(values: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


REQUESTS = Family("agentidp_requests", "Requests by route and outcome.", ("route", "outcome"), tuple(product(ROUTES, OUTCOMES)))
REFUSALS = Family(
    "agentidp_refusals",
    "Refused client authentications by reason; the caller is not told which.",
    ("reason",),
    _by(tuple(sorted({one.value for one in (*Refusal, *Reason, *Flaw)}))),
)
SECRET_CHECKS = Family(
    "agentidp_secret_checks", "Secrets checked with bcrypt, by result.", ("result",), _by(("match", "mismatch"))
)
LOOK_UPS = Family(
    "agentidp_look_ups", "Clients looked up at the API server because the index did not know them, or not this secret."
)
WATCH_FAILURES = Family("agentidp_watch_failures", "Watches and lists that failed, by kind.", ("kind",), _by(KINDS))
COUNTERS = (REQUESTS, REFUSALS, SECRET_CHECKS, LOOK_UPS, WATCH_FAILURES)

SECONDS = Family("agentidp_request_seconds", "Time that requests took.", ("route",), _by(ROUTES))

HASHING_QUEUE = Family("agentidp_hashing_queue", "Secrets that wait to be checked with bcrypt, or are being checked.")
INDEX_OBJECTS = Family("agentidp_index_objects", "Objects in the index by kind.", ("kind",), _by(KINDS))
STALENESS = Family("agentidp_staleness_seconds", "Time since the last word from the API server.")
MAX_STALENESS = Family("agentidp_max_staleness_seconds", "The time without word from which there are no tokens, a setting.")
KEY_AGE = Family("agentidp_signing_key_age_seconds", "Time since the signing key began to sign.")
