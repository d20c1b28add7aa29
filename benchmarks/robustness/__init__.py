"""Attacks on every reader, function and command: mutated files, bombs, two runs at once, and kills."""
