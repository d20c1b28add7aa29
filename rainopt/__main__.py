"""``python -m rainopt`` is the command ``rainopt``."""

from rainopt.cli import main

if __name__ == "__main__":
    main()
