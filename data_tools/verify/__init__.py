"""Whether a dataset is what it says."""
