"""What all requests and answers have in common: middleware, error handlers, rate limits. Nothing here knows a resource."""
