"""Networks on pictures of any size."""
