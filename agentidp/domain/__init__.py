"""The domain: resources, and every decision about them, as pure functions. No I/O, no clock, no framework."""
