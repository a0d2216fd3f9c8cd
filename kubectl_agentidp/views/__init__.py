"""Resources as text: pure functions from resources and a moment to what is printed. No cluster, no clock, no secret."""
