"""Backgrounds and derained video."""
