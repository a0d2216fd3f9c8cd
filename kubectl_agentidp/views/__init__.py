"""Resources as text: pure functions from resources and the present time to the text of a command. No cluster, no clock."""
