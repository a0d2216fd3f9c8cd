"""How the programs read and write a Kubernetes API server: typed requests, and a watch-fed view. No HTTP server, no Kopf."""
