"""Tracing: nothing without a collector."""

from fastapi import FastAPI

from agentidp.http_server.spans import TracedApp
from agentidp.http_server.tracing import traced
from agentidp.runtime.settings import Url


def test_traced_app_is_the_application_itself_without_a_collector() -> None:
    """Its requests cost nothing more."""
    app = FastAPI()
    with traced(app, None, "program") as traceable:
        assert traceable is app


def test_traced_app_with_a_collector_makes_spans() -> None:
    """A collector that is away does not hold up the end."""
    with traced(FastAPI(), Url("http://127.0.0.1:1"), "program") as traceable:
        assert isinstance(traceable, TracedApp)
