"""The only folder that imports Kopf: event handlers that enqueue requests, and the periodic resync."""
