"""Threads and places that namespaces share: queue, lock and bcrypt pool. Nothing here knows a client or a request."""
