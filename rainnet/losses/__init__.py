"""Losses: thin modules over the objectives of `rainopt`, and the papers' other terms."""
