"""Where the pixels of one frame lie in another, though rain falls and things move in both."""
