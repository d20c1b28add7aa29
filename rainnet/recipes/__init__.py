"""Recipes that say how networks are trained, and what reads them."""
