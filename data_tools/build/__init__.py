"""Datasets made: of rain videos, and of rain rendered over clean pictures."""
