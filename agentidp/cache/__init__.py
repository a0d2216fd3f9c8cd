"""Watch-fed caches: a store for each kind, its indices, and their freshness. No writes, and no decision.

They have one item an object, and evict it when the object is deleted. `agentidp.runtime.bounded_cache` lists the other caches
and what bounds them. An item never changes: its store replaces it by another one, from a watch as from a list.
"""
