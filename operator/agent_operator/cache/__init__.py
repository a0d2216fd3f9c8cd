"""The cluster cache: the last version of each object, trimmed and indexed. Nothing here writes to the API server."""
