"""The Kubernetes API: typed requests, lists, watches, events and waiters. No HTTP server, no Kopf, no decision."""
