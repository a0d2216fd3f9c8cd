"""/api/v1/docs: Swagger UI, all of which is served from here."""

import re
from http import HTTPStatus

import httpx

from management_api.app import create_app
from management_api.endpoints.dependencies import BASE_PATH
from tests.support.management_parts import an_api


async def test_docs_load_nothing_from_elsewhere() -> None:
    """Each file that the page names is answered here, and the policy lets a browser load no other."""
    transport = httpx.ASGITransport(app=create_app(an_api()[0]))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://api{BASE_PATH}", follow_redirects=True) as client:
        page = await client.get("/docs")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
        parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(parts) == 4
        for part in parts:
            assert (await client.get(f"/docs/{part}")).status_code == HTTPStatus.OK
        start = (await client.get("/docs/start.js")).text
        (document,) = re.findall(r'url: "([^"]+)"', start)
        assert (await client.get(f"/docs/{document}")).json()["openapi"].startswith("3.")
