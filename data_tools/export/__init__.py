"""Datasets handed on in the forms that training programs read."""
