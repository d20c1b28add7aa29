"""What the command line needs beyond its options: inputs to jobs, files to files, progress and records."""
