"""The chart's dashboard as a picture: what `make dashboard` draws.

A real Prometheus scrapes the real programs while something happens to them, and is asked what the panels ask. Nothing here is
shipped, and nothing here knows Grafana but for the file that the dashboard is in.
"""
