"""Networks in files, and those that ship with the package."""
