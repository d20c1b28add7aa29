"""What is attacked: each file makes inputs for one kind of thing, the same for the same number."""
