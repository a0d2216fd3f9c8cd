"""Every limit of the HTTP server, of one connection and of all: sizes in bytes, times in seconds.

A connection that exceeds one of them ends. `BoundedProtocol` holds those of a request, `ConnectionReaper` those of waiting, and
`server` those of the server's end.
"""

import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server."""

    max_head_bytes: int = 65_536
    """Of a request line with its headers, of trailers, and of what comes between two chunks."""
    max_head_seconds: float = 10.0
    """From the start of a connection, or of a request, to the end of the head."""
    max_request_bytes: int = 1_048_576
    """Of the rest of a request after the read in which it began."""
    max_pipelined_requests: int = 8
    """When so many requests of a connection wait for the answers before theirs, nothing more is parsed or read."""
    chunk_bytes: int = 1024
    """Data with further lines is parsed in chunks of this size; some fifty short requests fit into one."""
    max_discarded_bytes: int = 16_777_216
    """After the last request of a connection."""
    max_linger_seconds: float = 5.0
    """From the last answer to the end of the connection."""
    max_stall_seconds: float = 20.0
    """How long a body may not end, or an answer not be read."""
    check_seconds: float = 2.0
    """Between two checks of all connections."""
    max_connections: int = 20_000
    """Of the server; fewer where the process may open fewer files."""
    reserved_files: int = 256
    """Open files that connections leave to everything else."""
    keep_alive_seconds: int = 75
    """How long an idle connection is kept: longer than proxies do, which else would send requests on a closing connection."""
    farewell_seconds: float = 2.0
    """After the signal to end: how long each connection may bring one more request, whose answer says it is the last."""
    farewell_check_seconds: float = 0.05
    """Between two checks of whether all connections have ended."""
    grace_seconds: int = 10
    """After that: how long a request may take to be answered."""


LIMITS = Limits()


def max_connections(limits: Limits = LIMITS) -> int:
    """The number of connections that open files allow. Raises the soft limit of open files to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return limits.max_connections
    return min(limits.max_connections, max(limits.reserved_files, hard - limits.reserved_files))
