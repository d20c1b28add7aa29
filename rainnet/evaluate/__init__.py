"""Methods compared on datasets."""
