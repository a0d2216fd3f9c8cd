"""What was last seen of each object, trimmed and indexed. Nothing here writes to the API server."""
