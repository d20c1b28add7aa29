"""The commands of ``rainnet``, a file each; heavy imports wait until there is work."""
