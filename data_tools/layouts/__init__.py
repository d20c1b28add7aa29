"""Public datasets as they lie on the disk."""
