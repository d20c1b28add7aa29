"""Losses: thin modules over the objectives of `rainopt`, and the papers' other terms, a file for each kind."""
