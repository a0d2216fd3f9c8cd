"""Looking at processes, counters and the machine. What a figure is used for is not known here."""
