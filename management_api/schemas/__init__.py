"""Request and response bodies as pydantic models, and how OpenAPI describes them. Nothing here does I/O."""
