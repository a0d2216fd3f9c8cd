"""What every program needs to run: settings, logs, caches, rate limits and pools. Nothing here knows what a program is for."""
