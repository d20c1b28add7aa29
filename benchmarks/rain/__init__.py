"""The rendered rain itself: speed, and how like published rain it is."""
