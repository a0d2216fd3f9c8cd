"""The routes, one module for each resource: parse, authorize, call an operation, answer. No route writes by itself."""
