"""The cluster cache: what reflectors saw last, trimmed and indexed. Nothing here writes, or reads the API server."""
