"""Speed and quality, measured against peers and against what the hardware allows."""
