"""The solver: speed, limits, peers, and quality on photographs."""
