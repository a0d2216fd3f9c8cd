"""The JSON of this API: what is taken, what is answered, and how OpenAPI describes it."""
