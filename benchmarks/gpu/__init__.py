"""Everything that only a CUDA device can show, in one script that never ends half-way: `run.sh`."""
