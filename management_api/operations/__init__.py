"""Writes of specs, and nothing but specs: by whom, under optimistic lock, and done only when they have taken effect."""
