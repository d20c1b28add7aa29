"""The manifest of a dataset and the folder that it describes."""
