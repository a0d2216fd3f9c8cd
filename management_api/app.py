"""The HTTP application: a FastAPI app behind the edge that all requests share."""

from typing import Any

from fastapi import FastAPI

from agentidp.http_server.asgi import Endpoint
from agentidp.http_server.metrics import add_metrics
from agentidp.http_server.probes import add_probes
from management_api.endpoints import agents, credentials
from management_api.endpoints import api_docs as documentation
from management_api.endpoints.dependencies import BASE_PATH
from management_api.http.error_handlers import add_error_handlers
from management_api.http.middleware import RequestMiddleware
from management_api.wiring import ManagementApi


class DocumentedApp(FastAPI):
    """FastAPI, whose document says what is answered here: bodies that are not valid get 400, not 422."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
        if not self.openapi_schema:
            document = super().openapi()
            for path in document["paths"].values():
                for call in path.values():
                    call["responses"].pop("422", None)
            for name in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(name, None)
        return super().openapi()


def create_app(api: ManagementApi, *, with_metrics: bool = True) -> Endpoint:
    """The application; everything it needs is in there already."""
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
    for router in (agents.router, credentials.router, documentation.router):
        app.router.routes += router.routes
    app.mount(f"{BASE_PATH}/docs/assets", documentation.assets(), "assets")
    add_probes(app, api.freshness.missing)
    add_error_handlers(app)
    if with_metrics:
        add_metrics(app, api.metrics.text, documented=False)
    return RequestMiddleware(app, api.metrics)
