"""Metrics: plain numbers that the hot path adds to, and the Prometheus text that is made of them when somebody asks."""
