"""Deraining one photograph, from the settings to the colours."""
