"""What every program needs to run: settings from the environment, and logs. Nothing here knows what a program is for."""
