"""The edge: what every request and every answer has in common, whichever endpoint it is for."""
