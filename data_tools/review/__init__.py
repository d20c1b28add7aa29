"""The page on which a person judges the backgrounds of a dataset: its server."""
