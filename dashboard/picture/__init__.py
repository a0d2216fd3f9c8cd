"""The dashboard drawn as one SVG: nothing has to be installed for it, and whoever reads it needs a browser only."""
