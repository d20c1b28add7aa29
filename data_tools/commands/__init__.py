"""The commands of `raindata`, a file each."""
