"""What the HTTP servers share: uvicorn with bounds, probes, token buckets. Nothing here knows a client or a resource."""
