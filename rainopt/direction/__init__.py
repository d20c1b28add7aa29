"""The direction of the rain: ridges, the evidence they are, and the estimate made of it; TILT for comparison."""
