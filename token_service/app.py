"""The HTTP application: a FastAPI app whose OpenAPI document has every endpoint, with a short way to those that are hot.

POSTs of forms are ASGI applications of their own. FastAPI knows them as routes like any other; a switch by path in front of
it leads to them directly, which saves half of the time that a token takes.
"""

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute

from agentidp.http_server.asgi import Endpoint, HeadAsGet, Receive, Scope, Send
from agentidp.http_server.metrics import add_metrics
from agentidp.http_server.probes import add_probes
from token_service.endpoints import introspection, jwks, revocation, token
from token_service.endpoints.form_endpoint import FormEndpoint
from token_service.endpoints.last_used import add_usage
from token_service.endpoints.metadata import add_metadata, metadata
from token_service.endpoints.openapi import SECURITY_SCHEMES
from token_service.endpoints.propagation import add_applied
from token_service.wiring import TokenService

BASE_PATH = "/api/v1"
API_VERSION = "v1"
TOKEN = "/token"  # noqa: S105 a path
INTROSPECTION = TOKEN + "/introspect"
REVOCATION = TOKEN + "/revoke"
STANDARD_NAMES = {
    "token_endpoint": TOKEN,
    "introspection_endpoint": INTROSPECTION,
    "revocation_endpoint": REVOCATION,
}


class LeanRoute(APIRoute):
    """A documented route whose requests go to an ASGI application as they are."""

    def __init__(self, path: str, endpoint: Endpoint, documentation: dict[str, Any]) -> None:
        super().__init__(path, _stands_in, methods=["POST"], name=path, response_model=None, **documentation)
        self.app = endpoint


class LeanApp(FastAPI):
    """FastAPI behind a switch by path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._lean: dict[str, LeanRoute] = {}
        self._others = HeadAsGet(super().__call__)

    def add_lean_route(self, path: str, endpoint: Endpoint, documentation: dict[str, Any]) -> None:
        """Serve POSTs of this path by this ASGI application."""
        route = self._lean[path] = LeanRoute(path, endpoint, documentation)
        self.router.routes.append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        route = self._lean.get(scope.get("path", ""))
        if route is not None and scope["method"] == "POST":
            scope["route"] = route
            await route.app(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, with the ways to authenticate."""
        document = super().openapi()
        document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return document


def create_app(service: TokenService, *, with_metrics: bool = True) -> FastAPI:
    """The application of a token service; everything it needs is in there already."""
    issuer = service.issuer
    prefix = urlsplit(issuer).path
    app = LeanApp(
        title="AgentIdP token service",
        version=API_VERSION,
        docs_url=None,  # its pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    for path, name, handle, documentation in (
        (TOKEN, "token", service.token.handle, token.DOCUMENTATION),
        (INTROSPECTION, "introspect", service.introspection.handle, introspection.DOCUMENTATION),
        (REVOCATION, "revoke", service.revocation.handle, revocation.DOCUMENTATION),
    ):
        metrics = service.metrics.routes[name]
        endpoint = FormEndpoint(name, handle, metrics, service.failure_log, service.tarpit, service.limits)
        for full in dict.fromkeys([BASE_PATH + path, path, prefix + BASE_PATH + path]):
            app.add_lean_route(full, endpoint, documentation)
    add_metadata(app, metadata(issuer, {name: BASE_PATH + path for name, path in STANDARD_NAMES.items()}), prefix)
    for path in dict.fromkeys([jwks.PATH, prefix + jwks.PATH]):
        jwks.add_jwks(app, service.cache.keys, service.jwks_max_age_seconds, path)
    add_probes(app, service.missing)
    if with_metrics:
        add_metrics(app, service.metrics.text)
    add_usage(app, service.last_used, service.cache.keys, issuer)
    add_applied(app, service.propagation, service.management)
    return app


async def _stands_in() -> None:
    """Only for FastAPI, which describes functions; the route's requests never come here."""
