"""Checkpoints of other programs made into networks of ours."""
