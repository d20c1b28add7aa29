"""The exit statuses of all commands."""

OK = 0
"""All inputs are done."""
FAILED = 1
"""Some inputs failed; each was named, and the others are done."""
USAGE = 2
"""The command was called wrongly, and nothing was done."""
INTERRUPTED = 130
"""Stopped by the user; the same command goes on."""
