"""The pages, one module for each subject, and what makes all of them."""
