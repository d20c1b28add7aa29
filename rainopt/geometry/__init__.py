"""Where pixels lie: directions of lines, the shear that makes streaks upright, tiles, means over boxes."""
