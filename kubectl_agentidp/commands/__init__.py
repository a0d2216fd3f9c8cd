"""One module for each command, with its arguments and its effect. Text is made in `views`."""
