"""How well the direction of rain is found."""
