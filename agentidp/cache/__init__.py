"""Watch-fed caches: a store for each kind, its indices, and their freshness. No writes, and no decision.

An item never changes: its store replaces it by another one, from a watch as from a list.
"""
