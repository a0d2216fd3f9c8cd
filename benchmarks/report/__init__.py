"""How a result becomes a JSON file, plots, and lines on a terminal. Nothing is measured here."""
