"""One module for each family of commands: its arguments, and what it does. Text is made in `views`."""
