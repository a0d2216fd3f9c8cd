"""stub"""
from pathlib import Path


def control_plane_binary() -> Path:
    return Path("/tmp/lab/controlplane")
