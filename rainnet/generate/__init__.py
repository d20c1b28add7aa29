"""Rain that a network has learned, of any size, and as it is asked for."""
