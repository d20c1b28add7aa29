"""The commands of `rainopt`, a file each."""
