"""The model behind NIQE."""
