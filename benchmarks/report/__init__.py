"""Tables and plots of what the benchmarks found, for the documentation and the README; nothing is typed by hand."""
