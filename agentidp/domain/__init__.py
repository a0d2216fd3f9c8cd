"""Pure: the resources, and every decision about them. No I/O, no clock, no framework may be imported here."""
