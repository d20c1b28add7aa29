"""``python -m rainopt`` is the command ``rainopt``."""

from rainopt.commands.main import main

if __name__ == "__main__":
    main()
