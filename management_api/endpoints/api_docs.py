"""GET /api/v1/docs: Swagger UI for the OpenAPI document, which FastAPI serves at /api/v1/openapi.json.

All its files are served from here, and the Content-Security-Policy lets a browser load nothing from elsewhere.
"""

from importlib.resources import files

from fastapi import APIRouter, Response
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from management_api.endpoints.dependencies import BASE_PATH

ASSETS = str(files("fastapi_offline") / "static")
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>AgentIdP management API</title>
<link rel="stylesheet" href="assets/swagger-ui.css">
<link rel="icon" href="assets/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="assets/swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "../openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'


router = APIRouter(prefix=BASE_PATH, include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    """Redirect to the path from which the page's relative links work."""
    return RedirectResponse("docs/")


@router.get("/docs/")
async def page() -> Response:
    """Return the page, which loads Swagger UI and its start script."""
    return Response(_PAGE, headers={"Content-Security-Policy": POLICY}, media_type="text/html")


@router.get("/docs/start.js")
async def start() -> Response:
    """Return the script that shows the OpenAPI document."""
    return Response(_START, media_type="text/javascript")


def assets() -> StaticFiles:
    """Return the files of Swagger UI."""
    return StaticFiles(directory=ASSETS)
