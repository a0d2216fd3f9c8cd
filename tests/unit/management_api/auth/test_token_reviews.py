"""Token reviews are taken from shares that nobody can forge (docs/threat-model.md): the API server counts them.

It signs tokens by a key of its own, as the cluster does, and takes one other issuer's beside them, as by a webhook.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.utils import base64url_decode, base64url_encode

from agentidp.authentication.issuer_keys import DISCOVERY, KEYS, IssuerDiscovery, IssuerKeys
from agentidp.authentication.reviews import TOKEN_REVIEWS
from agentidp.domain.tokens.client_assertions import API_SERVER_LEEWAY_SECONDS, LEEWAY_SECONDS, SignedToken
from management_api.auth.kubernetes_caller import Reviews
from management_api.auth.token_reviews import TokenReviews
from management_api.errors import ApiFailure
from management_api.limits import DEFAULT_LIMITS, Limits
from tests.support.assertions import CLUSTER, CLUSTER_KEY, ClusterKey, a_cluster_key, bound_to, claims_of, signed
from tests.support.stand_ins import connected

STRANGER = a_cluster_key()
PEOPLE = "https://people.example"
LIMITS = Limits(
    token_reviews_per_second=0.001,
    max_token_review_burst=10,
    unproven_token_reviews_per_second=0.001,
    max_unproven_token_review_burst=20,
    token_review_seconds=0,
)
"""Of each namespace ten, of each ServiceAccount two of them, and twenty of all that nothing is known of.

And nothing more for as long as a test takes.
"""
OF_AN_ACCOUNT = 2


@dataclass
class ReviewServer:
    """What the API server was asked about, by the subject that a token names, and what asks it."""

    reviewed: Counter[str]
    tokens: TokenReviews

    async def outcome(self, token: str) -> str:
        """Whose it is, or why nobody says so."""
        try:
            user = await self.tokens.user(token, jwt.decode(token, options={"verify_signature": False}))
        except ApiFailure as failure:
            return failure.code
        return user.username if user else "nobody"

    @property
    def reviews(self) -> int:
        """How many there were."""
        return self.reviewed.total()


def api_server(reviewed: Counter[str], *, publishes_keys: bool = True) -> web.Application:
    """It takes whatever one of its keys, or the other issuer, has signed."""

    async def review(request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        reviewed[claims["sub"]] += 1
        good = claims["iss"] == PEOPLE or jwt.get_unverified_header(token)["kid"] == CLUSTER_KEY.key_id
        return web.json_response({"status": {"authenticated": good, "user": {"username": claims["sub"]}}})

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response({"issuer": CLUSTER})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [CLUSTER_KEY.jwk]})

    app = web.Application()
    app.router.add_post(TOKEN_REVIEWS, review)
    if publishes_keys:
        app.router.add_get(DISCOVERY, discovery)
        app.router.add_get(KEYS, keys)
    return app


@pytest.fixture
async def server() -> AsyncIterator[ReviewServer]:
    """By an API server whose keys are known."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed)) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        await keys.refresh()
        yield ReviewServer(reviewed, TokenReviews(Reviews(cluster, LIMITS), keys, LIMITS))


def of_namespace(namespace: str, account: str = "worker", key: ClusterKey = CLUSTER_KEY, **changed: Any) -> str:
    """A new token of a ServiceAccount there."""
    return signed(claims_of(namespace, account, **changed), key)


def forged(namespace: str, **header: Any) -> str:
    """By somebody who has none of the cluster's keys, and says so or not."""
    return signed(claims_of(namespace, "worker"), STRANGER, **header)


def with_other_claims(namespace: str) -> str:
    """A genuine token's signature under what it does not say."""
    head, _, signature = of_namespace("attacker").split(".")
    return ".".join([head, of_namespace(namespace).split(".")[1], signature])


def of_a_person(name: str) -> str:
    """Of the other issuer, of which only the API server knows."""
    return signed(claims_of(iss=PEOPLE, sub=name), STRANGER)


FORGERIES: dict[str, Callable[[str], str]] = {
    "signed by a stranger, and naming its key": forged,
    "signed by a stranger, and naming a key of the cluster": lambda namespace: forged(namespace, kid=CLUSTER_KEY.key_id),
    "signed by nobody": lambda namespace: jwt.encode(claims_of(namespace), "", "none"),
    "signed with a shared secret, and naming a key of the cluster": lambda namespace: jwt.encode(
        claims_of(namespace), "k" * 32, "HS256", {"kid": CLUSTER_KEY.key_id}
    ),
    "with the signature of another token": with_other_claims,
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_token_review_is_not_spent_on_a_forged_token(server: ReviewServer, forgery: Callable[[str], str]) -> None:
    """However many tenants they name, each name's first use is served afterwards."""
    outcomes = await asyncio.gather(*(server.outcome(forgery(f"tenant-{number}")) for number in range(300)))
    assert set(outcomes) == {"nobody"}
    assert server.reviews == 0
    firsts = [await server.outcome(of_namespace(f"tenant-{number}")) for number in range(3)]
    assert firsts == [f"system:serviceaccount:tenant-{number}:worker" for number in range(3)]


async def test_token_reviews_of_a_namespace_are_bounded(server: ReviewServer) -> None:
    """Of its genuine tokens as many are reviewed as one tenant may; others' first uses are all served."""
    outcomes = Counter([await server.outcome(of_namespace("many", f"worker-{number}")) for number in range(100)])
    assert outcomes["RATE_LIMIT_EXCEEDED"] == 90
    assert server.reviews == 10
    others = [await server.outcome(of_namespace(f"other-{number}")) for number in range(50)]
    assert others == [f"system:serviceaccount:other-{number}:worker" for number in range(50)]


async def test_token_reviews_of_an_accepted_token_take_its_tenants_share(server: ReviewServer) -> None:
    """They were reviewed again without a bound: as many tokens as a namespace could keep good."""
    token = of_a_person("ann")
    outcomes = Counter([await server.outcome(token) for _ in range(100)])
    assert outcomes == {"ann": 11, "RATE_LIMIT_EXCEEDED": 89}


async def test_token_reviews_of_a_deleted_account_leave_the_share_of_its_names_next_owner(server: ReviewServer) -> None:
    """A namespace and its ServiceAccount were deleted and made anew: tokens of the former one have another uid."""
    former = bound_to("anew", "worker", uid="former")
    for number in range(100):
        await server.outcome(of_namespace("anew", **{"kubernetes.io": former, "jti": str(number)}))
    assert server.reviews == OF_AN_ACCOUNT
    assert await server.outcome(of_namespace("anew")) == "system:serviceaccount:anew:worker"


MINUTES_OFF = {
    "expired": {"exp": -2, "iat": -60, "nbf": -60},
    "without an end, and not valid yet": {"exp": None, "nbf": 2},
    "not valid yet": {"nbf": 2},
    "yet to be issued": {"iat": 2},
}


@pytest.mark.parametrize("minutes", MINUTES_OFF.values(), ids=MINUTES_OFF)
async def test_token_review_is_not_spent_on_a_token_out_of_its_time(
    server: ReviewServer, minutes: dict[str, int | None]
) -> None:
    """RFC 7519, sections 4.1.4 and 4.1.5: it must not be accepted, so there is nothing to ask."""
    now = int(time.time())
    times = {claim: None if after is None else now + 60 * after for claim, after in minutes.items()}
    assert {await server.outcome(of_namespace("many", **times)) for _ in range(20)} == {"nobody"}
    assert server.reviews == 0
    assert await server.outcome(of_namespace("many")) == "system:serviceaccount:many:worker"


CLOCKS_DIFFER = {
    "just expired": {"exp": -60},
    "about to begin": {"nbf": 60},
    "a legacy token, which has no end": {"exp": None, "nbf": None, "iat": None},
}


@pytest.mark.parametrize("seconds", CLOCKS_DIFFER.values(), ids=CLOCKS_DIFFER)
async def test_token_review_decides_where_an_api_server_may_accept(
    server: ReviewServer, seconds: dict[str, int | None]
) -> None:
    """API servers allow a minute in these claims, and legacy tokens do not expire: TokenReview decides (decision 41)."""
    now = int(time.time())
    times = {claim: None if after is None else now + after for claim, after in seconds.items()}
    assert await server.outcome(of_namespace("many", **times)) == "system:serviceaccount:many:worker"


@given(st.integers(-300, 300), st.integers(-300, 300), st.integers(-LEEWAY_SECONDS, LEEWAY_SECONDS))
def test_token_that_is_refused_unasked_would_be_refused_by_any_api_server(begins: int, expires: int, clock: int) -> None:
    """By its own leeway, and by a clock that differs by no more than ours may (go-jose, `ValidateWithLeeway`)."""
    accepted = begins <= clock + API_SERVER_LEEWAY_SECONDS and expires >= clock - API_SERVER_LEEWAY_SECONDS
    assert not (accepted and SignedToken("talent", "", begins, expires).is_refused_at(0))


CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n of P-256 (FIPS 186-4, D.1.2.3)."""


def with_the_twin_signature(token: str) -> str:
    """With (r, n - s), which verifies as (r, s) does."""
    signed_part, _, signature = token.rpartition(".")
    r_and_s = base64url_decode(signature)
    twin = r_and_s[:32] + (CURVE_ORDER - int.from_bytes(r_and_s[32:])).to_bytes(32)
    return f"{signed_part}.{base64url_encode(twin).decode()}"


async def test_token_reviews_of_texts_of_one_token_are_one() -> None:
    """Whoever writes its signature otherwise has no other token, and no other review."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed)) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        await keys.refresh()
        server = ReviewServer(reviewed, TokenReviews(Reviews(cluster, DEFAULT_LIMITS), keys, DEFAULT_LIMITS))
        token = of_namespace("many")
        outcomes = {await server.outcome(one) for one in (token, with_the_twin_signature(token))}
        assert (outcomes, server.reviews) == ({"system:serviceaccount:many:worker"}, 1)


async def test_token_with_the_signed_part_of_a_cached_one_is_verified() -> None:
    """An answer is found by what is signed only after the signature was verified."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed)) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        await keys.refresh()
        server = ReviewServer(reviewed, TokenReviews(Reviews(cluster, DEFAULT_LIMITS), keys, DEFAULT_LIMITS))
        token = of_namespace("many")
        await server.outcome(token)
        other = token.rpartition(".")[0] + "." + of_namespace("many").rpartition(".")[2]
        assert (await server.outcome(other), server.reviews) == ("nobody", 1)


async def test_token_reviews_of_other_issuers_leave_the_share_of_the_cluster(server: ReviewServer) -> None:
    """Whoever invents issuers spends what they have together; who was good is known, and keeps a share."""
    assert await server.outcome(before := of_a_person("ann")) == "ann"
    outcomes = [await server.outcome(of_a_person(f"invented-{number}")) for number in range(100)]
    assert outcomes.count("UNAVAILABLE") == 81
    assert await server.outcome(before) == "ann"
    assert await server.outcome(of_namespace("other")) == "system:serviceaccount:other:worker"


async def test_token_review_is_shared_by_requests_with_one_token() -> None:
    """So what runs in parallel does not spend its namespace's share."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed)) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        await keys.refresh()
        parallel = ReviewServer(
            reviewed, TokenReviews(Reviews(cluster, Limits(max_concurrent_reviews=1)), keys, DEFAULT_LIMITS)
        )
        token = of_namespace("many")
        await asyncio.gather(*(parallel.outcome(token) for _ in range(100)))
        assert parallel.reviews == 1


async def test_token_reviews_go_on_where_the_cluster_has_no_keys_to_read() -> None:
    """Kubernetes does so where its issuer is no URL. Nothing is proven then, and everything bounded."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed, publishes_keys=False)) as cluster:
        server = ReviewServer(
            reviewed,
            TokenReviews(Reviews(cluster, Limits(max_concurrent_reviews=1)), IssuerKeys(IssuerDiscovery(cluster)), LIMITS),
        )
        assert await server.outcome(of_namespace("one")) == "system:serviceaccount:one:worker"
        outcomes = [await server.outcome(forged(f"tenant-{number}")) for number in range(100)]
        assert server.reviews == LIMITS.max_unproven_token_review_burst
        assert outcomes.count("UNAVAILABLE") == 81


MAKERS: dict[str, Callable[[int], str]] = {
    "first use": lambda number: of_namespace(f"first-{number}"),
    "of the namespace that floods": lambda number: of_namespace("many", f"worker-{number}"),
    "of the ServiceAccount that floods": lambda _: of_namespace("one-account"),
    "forged": lambda number: forged(f"first-{number}", kid=CLUSTER_KEY.key_id),
    "of an invented issuer": lambda number: of_a_person(f"system:serviceaccount:first-{number}:worker"),
}


async def outcomes_of(sent: Iterable[str]) -> tuple[list[str], int]:
    """What comes of such tokens, in this order, and how many reviews they cost."""
    reviewed = Counter[str]()
    async with connected(api_server(reviewed)) as cluster:
        keys = IssuerKeys(IssuerDiscovery(cluster))
        await keys.refresh()
        server = ReviewServer(reviewed, TokenReviews(Reviews(cluster, LIMITS), keys, LIMITS))
        return [await server.outcome(MAKERS[kind](number)) for number, kind in enumerate(sent)], server.reviews


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(sorted(MAKERS)), max_size=80))
def test_token_reviews_serve_first_uses_during_any_flood(sent: list[str]) -> None:
    """In any order and mixture; and what the API server is asked is bounded by what each may cost."""
    outcomes, reviews = asyncio.run(outcomes_of(sent))
    firsts = [outcome for kind, outcome in zip(sent, outcomes, strict=True) if kind == "first use"]
    assert all(outcome.startswith("system:serviceaccount:first-") for outcome in firsts)
    counts = Counter(sent)
    bounded = min(counts["of the namespace that floods"], 10) + min(counts["of an invented issuer"], 20)
    bounded += min(counts["of the ServiceAccount that floods"], OF_AN_ACCOUNT)
    assert reviews <= len(firsts) + bounded
