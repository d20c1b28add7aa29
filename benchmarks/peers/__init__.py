"""What others offer for the same work, in the same process: the command, its tasks, and plain re-implementations."""
