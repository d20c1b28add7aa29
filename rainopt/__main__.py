"""``python -m rainopt`` is the command ``rainopt``."""

from rainopt.app.start import start


def main() -> None:
    """Run the command and exit with its status."""
    start("rainopt.commands.main")


if __name__ == "__main__":
    main()
