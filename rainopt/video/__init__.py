"""Deraining video: frames, scenes, the background that a still camera sees, and what moves in front of it."""
