"""The HTTP application: a FastAPI app whose OpenAPI document has every endpoint, and a switch by path to the form endpoints.

Form endpoints are ASGI applications of their own. FastAPI has them as documented routes; a switch by path in front of FastAPI
calls them directly, which saves half of the time that a token takes.
"""

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute

from agentidp.http_server.asgi import Endpoint, HeadAsGet, Receive, Scope, Send
from agentidp.http_server.metrics import add_metrics
from agentidp.http_server.probes import add_probes
from token_service.endpoints import introspection, revocation, token
from token_service.endpoints.form_endpoint import FormEndpoint
from token_service.endpoints.internal import add_last_used, add_propagation, add_validation_errors
from token_service.endpoints.metadata import JWKS, add_jwks, add_metadata, metadata
from token_service.endpoints.openapi import SECURITY_SCHEMES
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


class FormRoute(APIRoute):
    """A documented route whose requests an ASGI application answers."""

    def __init__(self, path: str, endpoint: Endpoint, documentation: dict[str, Any]) -> None:
        super().__init__(path, _undispatched, methods=["POST"], name=path, response_model=None, **documentation)
        self.app = endpoint


class TokenServiceApp(FastAPI):
    """FastAPI behind a switch by path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._form_routes: dict[str, FormRoute] = {}
        self._framework = HeadAsGet(super().__call__)

    def add_form_route(self, path: str, endpoint: Endpoint, documentation: dict[str, Any]) -> None:
        """Let this ASGI application answer POSTs of this path."""
        route = self._form_routes[path] = FormRoute(path, endpoint, documentation)
        self.router.routes.append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: a form endpoint directly, any other one through FastAPI."""
        route = self._form_routes.get(scope.get("path", ""))
        if route is not None and scope["method"] == "POST":
            scope["route"] = route
            await route.app(scope, receive, send)
        else:
            await self._framework(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document with the security schemes."""
        document = super().openapi()
        document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return document


def create_app(service: TokenService, *, with_metrics: bool = True) -> FastAPI:
    """The HTTP application of a token service."""
    issuer = service.issuer
    prefix = urlsplit(issuer).path
    app = TokenServiceApp(
        title="AgentIdP token service",
        version=API_VERSION,
        docs_url=None,  # its pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    for form_path, route_name, handle, documentation in (
        (TOKEN, "token", service.token.handle, token.DOCUMENTATION),
        (INTROSPECTION, "introspect", service.introspection.handle, introspection.DOCUMENTATION),
        (REVOCATION, "revoke", service.revocation.handle, revocation.DOCUMENTATION),
    ):
        metrics = service.metrics.routes[route_name]
        endpoint = FormEndpoint(route_name, handle, metrics, service.failure_log, service.tarpit, service.limits)
        for full_path in dict.fromkeys([BASE_PATH + form_path, form_path, prefix + BASE_PATH + form_path]):
            app.add_form_route(full_path, endpoint, documentation)
    endpoint_paths = {member: BASE_PATH + path for member, path in STANDARD_NAMES.items()}
    add_metadata(app, metadata(issuer, endpoint_paths), prefix)
    for jwks_path in dict.fromkeys([JWKS, prefix + JWKS]):
        add_jwks(app, service.cache.keys, service.jwks_max_age_seconds, jwks_path)
    add_probes(app, service.missing)
    if with_metrics:
        add_metrics(app, service.metrics.text)
    add_validation_errors(app)
    add_last_used(app, service.last_used, service.cache.keys, issuer)
    add_propagation(app, service.propagation, service.management)
    return app


async def _undispatched() -> None:
    """Never called: FastAPI needs a function to document a route. `FormRoute.app` answers the requests."""
