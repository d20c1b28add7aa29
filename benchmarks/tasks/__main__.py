"""`python -m benchmarks.tasks`."""

from benchmarks.tasks.command import main

if __name__ == "__main__":
    main()
