"""What every program needs to run: settings, logs, caches, token buckets and pools. Nothing here knows what a program is for."""
