"""Networks: quality, speed, ablations."""
