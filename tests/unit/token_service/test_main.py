"""The console script: its help, its exit statuses and its messages."""

import os
import socket
import subprocess
import sys

PROGRAM = [sys.executable, "-c", "from token_service.main import main; main()"]


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What it says and how it ends."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIDP_")}
    return subprocess.run([*PROGRAM, *arguments], env=inherited | settings, capture_output=True, text=True, check=False)


def test_main_help_lists_the_settings() -> None:
    """With their defaults."""
    result = run("--help")
    assert result.returncode == 0
    assert "AGENTIDP_MAX_STALENESS_SECONDS" in result.stdout
    assert "300" in result.stdout


def test_main_names_invalid_settings() -> None:
    """All at once, with what they should be, and exit status 2."""
    result = run(AGENTIDP_LISTEN="here", AGENTIDP_HASHING_THREADS="0")
    assert result.returncode == 2
    assert "AGENTIDP_ISSUER is not set" in result.stderr
    assert "AGENTIDP_LISTEN='here' is not valid: it should be host:port" in result.stderr
    assert "AGENTIDP_HASHING_THREADS='0' is not valid" in result.stderr
    assert "Traceback" not in result.stderr


def test_main_rejects_metrics_on_the_same_port() -> None:
    """Not even at another address: a request is known by the port that it came to."""
    result = run(AGENTIDP_ISSUER="http://x", AGENTIDP_LISTEN="127.0.0.1:1", AGENTIDP_METRICS_LISTEN="127.0.0.2:1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "AGENTIDP_METRICS_LISTEN" in result.stderr
    assert "another port" in result.stderr


def test_main_names_an_address_that_it_cannot_have() -> None:
    """Whichever of both it is; with exit status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for setting in ("AGENTIDP_LISTEN", "AGENTIDP_METRICS_LISTEN"):
            result = run(**{"AGENTIDP_ISSUER": "http://x", "AGENTIDP_LISTEN": "127.0.0.1:0", setting: address})
            assert result.returncode == 1
            assert f"{address}: Address already in use" in result.stderr
