"""HTTP/1.1 on one connection: framing, requests, answers, limits, end of a connection. Nothing here knows a route."""
