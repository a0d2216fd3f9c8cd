"""What the cluster declares, as this API lists it: reflectors feed it, reading costs a page and never waits."""
