"""Video files: opened, decoded, encoded, joined."""
