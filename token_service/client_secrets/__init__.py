"""Is this the secret of the hash: bcrypt, its thread pool, and what was verified before. Nothing here reads requests."""
