"""The HTTP application: a FastAPI app behind the middleware of all requests."""

from typing import Any

from fastapi import FastAPI

from agentidp.http_server.asgi import Endpoint
from agentidp.http_server.metrics import add_metrics
from agentidp.http_server.probes import add_probes
from management_api.endpoints import agents, api_docs, credentials
from management_api.endpoints.dependencies import BASE_PATH
from management_api.http.error_handlers import add_error_handlers
from management_api.http.middleware import RequestMiddleware
from management_api.limits import DEFAULT_LIMITS, Limits
from management_api.schemas.agents import FORMS
from management_api.wiring import ManagementApi


class DocumentedApp(FastAPI):
    """FastAPI with the OpenAPI document of this API: a body that is not valid gets 400, not 422."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which FastAPI caches, without the responses of 422."""
        document = super().openapi()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        return document


def create_app(api: ManagementApi, limits: Limits = DEFAULT_LIMITS, *, with_metrics: bool = True) -> Endpoint:
    """Return the application that serves from these parts."""
    app = DocumentedApp(
        title="AgentIdP management API",
        version="v1",
        description="Agents and their credentials, for people and pipelines that do not speak Kubernetes.",
        openapi_url=f"{BASE_PATH}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.api = api
    for router in (agents.router, credentials.router, api_docs.router):
        app.router.routes += router.routes
    app.mount(f"{BASE_PATH}/docs/assets", api_docs.assets(), "assets")
    add_probes(app, api.freshness.missing)
    add_error_handlers(app, FORMS)
    if with_metrics:
        add_metrics(app, api.metrics.text, documented=False)
    return RequestMiddleware(app, api.metrics, limits)
