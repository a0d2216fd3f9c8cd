"""Rate limits: client rate, daily quota, revocation quota and tarpit, each kept by each replica for itself.

| endpoint | `ClientRate` | `DailyQuota` | `RevocationQuota` | `Tarpit` |
|---|---|---|---|---|
| `POST /token` | after authentication | before the token is signed | | rejections |
| `POST /token/introspect` | after authentication | | | rejections |
| `POST /token/revoke` | after authentication | | before the TokenRevocation is written | rejections |

Keys, metadata, probes and the internal endpoints have no limit of their own. `limits` has the numbers that are no settings.
`client_secrets.brute_force` bounds guesses and `client_secrets.verifier` checks of misleading hints. `cluster.live_reads` and
`authentication.service_accounts` bound reads of the API server. `management_api.http.rate_limits` has the limits of REST.
Nothing here authenticates a client. A client is counted after it has authenticated, so nobody uses up the limit of another
client, and there are as many token buckets as agents in the cluster at most (and as many again for requests with access
tokens).
"""

import asyncio
import math
import time
from collections.abc import Callable

from agentidp.cache.revocations import RevocationIndex
from agentidp.domain.identity.clients import ClientAgent, ClientOrganization
from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.limits import LIMITS, Limits


class ClientRate:
    """Client rate: at most `burst` requests at once, and `per_second` on average, for each client; a rate of 0 is no limit."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        what: str = "requests of this client",
    ) -> None:
        self._buckets = TokenBuckets(per_second, burst, clock) if per_second else None
        self._burst = burst
        self._what = what

    def take(self, client_id: str) -> None:
        """Count one request. Raises OAuthError where it is one too many."""
        if self._buckets is not None and not self._buckets.take(client_id):
            raise self._too_many(self._buckets.wait(client_id), self._buckets.full_in(client_id))

    def _too_many(self, wait: float, until_full: float) -> OAuthError:
        headers = (
            ("X-RateLimit-Limit", str(self._burst)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(math.ceil(time.time() + until_full))),
        )
        return too_many_requests(f"Too many {self._what}.", math.ceil(wait) or 1, headers)


SECONDS_PER_DAY = 86_400

Rejected = Callable[[ClientAgent, ClientOrganization, bool], None]
"""Called for each rejection: the agent, its organization, and whether it is the agent's first on this day."""


class DailyQuota:
    """Daily quota: tokens that the agents of an organization may get a day of UTC (`spec.limits.tokensPerDay`).

    There is a count for each organization with a limit, by its uid; only administrators create organizations. Each rejection is
    reported: nothing in the cluster could tell it otherwise.
    """

    def __init__(self, clock: Callable[[], float] = time.time, rejected: Rejected | None = None) -> None:
        self._clock = clock
        self._rejected = rejected
        self._day = 0
        self._counts: dict[str, int] = {}
        self._agents: set[str] = set()
        """The agents that were rejected today."""

    def take(self, agent: ClientAgent, organization: ClientOrganization | None) -> None:
        """Count one token for an agent of the organization. Raises OAuthError where it is one too many."""
        limit = organization.tokens_per_day if organization else None
        if organization is None or limit is None:
            return
        day, second = divmod(int(self._clock()), SECONDS_PER_DAY)
        if day != self._day:
            self._day, self._counts, self._agents = day, {}, set()
        count = self._counts.get(organization.uid, 0)
        if count >= limit:
            self._report(agent, organization)
            raise too_many_requests("The organization has had its tokens of today.", SECONDS_PER_DAY - second)
        self._counts[organization.uid] = count + 1

    def _report(self, agent: ClientAgent, organization: ClientOrganization) -> None:
        first = agent.agent_id not in self._agents
        self._agents.add(agent.agent_id)
        if self._rejected:
            self._rejected(agent, organization, first)


class RevocationQuota:
    """Revocation quota: how many tokens may be revoked; each is an object in etcd and in every replica until it expires.

    A secret is all that a client needs to get tokens and to revoke them. So a client has a rate of revocations, and a number of
    revoked tokens that have not expired; beyond that its agent's `spec.tokensValidAfter`, which costs nothing, revokes all of
    its tokens at once. The owner of one agent may be able to register more, so the clients of a namespace have a common bound.
    """

    def __init__(self, revoked: RevocationIndex, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._revoked = revoked
        self._limits = limits
        self._factor = factor = limits.namespace_revocation_factor
        per_second, burst = limits.revocations_per_second, limits.revocations_burst
        self._rate_of_client = ClientRate(per_second, burst, clock, what="revocations of this client")
        what = "revocations by the clients of this namespace"
        self._rate_of_namespace = ClientRate(factor * per_second, factor * burst, clock, what=what)

    def take(self, client_id: str, namespace: str) -> None:
        """Count one revocation by a client, whose agent is in `namespace`. Raises OAuthError where it is one too many."""
        most = self._limits.max_revocations
        if self._revoked.count(client_id) >= most:
            raise self._too_many(most, "this client")
        if self._revoked.count_in(namespace) >= self._factor * most:
            raise self._too_many(self._factor * most, "the clients of this namespace")
        self._rate_of_client.take(client_id)
        self._rate_of_namespace.take(namespace)

    def _too_many(self, revocations: int, whose: str) -> OAuthError:
        message = (
            f"{revocations} revoked tokens of {whose} have not expired yet, and no more are revoked one by one."
            " Its agent's spec.tokensValidAfter ends all tokens of a client at once."
        )
        return too_many_requests(message, self._limits.revocation_retry_seconds)


class Tarpit:
    """Tarpit: delays rejections by 100 ms once more than 50 requests a second are rejected.

    Senders that wait for each answer before they try again then leave the core to others. Accepted requests are never delayed.
    The delay depends on the rate of rejections alone, so it reveals nothing about the reason. A delayed request costs its
    connection, and connections are bounded.
    """

    def __init__(self, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._second = 0
        self._rejections = 0

    async def delay(self) -> None:
        """Count a rejection, and wait where there are very many."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._rejections = second, 0
        self._rejections += 1
        if self._rejections > self._limits.rejections_per_second:
            await asyncio.sleep(self._limits.tarpit_seconds)
