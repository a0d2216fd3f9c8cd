"""The edge: a request becomes a value once, here, and a value an answer. Nothing here knows a client or decides about one."""
