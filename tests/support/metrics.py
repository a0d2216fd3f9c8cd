"""What a program tells Prometheus, as a test reads it."""

import httpx


def metric(base_url: str, name: str) -> float | None:
    """A value of the program at this address, by its name with all labels."""
    lines = httpx.get(f"{base_url}/metrics", timeout=30).raise_for_status().text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), None)
