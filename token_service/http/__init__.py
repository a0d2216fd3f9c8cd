"""HTTP: a request becomes a value here, once, and a value a response. Nothing here has state or decides about a client."""
