"""What our figures are divided by: servers that do as little as can be done."""
