"""Networks, one file each, and what they are built of."""
