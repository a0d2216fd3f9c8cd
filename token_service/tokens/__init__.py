"""Tokens that exist: their validation and their revocation. Nothing here authenticates a client."""
