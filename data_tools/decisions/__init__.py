"""What people have decided about the scenes of a dataset: written line by line, read back, and honoured."""
