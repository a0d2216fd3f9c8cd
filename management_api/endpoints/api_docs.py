"""GET /api/v1/openapi.json and /api/v1/docs: the OpenAPI document, and Swagger UI, whose parts are served from here.

A browser needs nothing from elsewhere, and may load nothing from elsewhere.
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
    """The page, with a path from which its parts are found."""
    return RedirectResponse("docs/")


@router.get("/docs/")
async def page() -> Response:
    """Loads its parts and its start."""
    return Response(_PAGE, headers={"Content-Security-Policy": POLICY}, media_type="text/html")


@router.get("/docs/start.js")
async def start() -> Response:
    """Shows the document, which is the framework's."""
    return Response(_START, media_type="text/javascript")


def assets() -> StaticFiles:
    """Of Swagger UI."""
    return StaticFiles(directory=ASSETS)
