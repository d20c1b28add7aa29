"""``python -m data_tools`` is the command ``raindata``."""

from rainopt.app.start import start


def main() -> None:
    """Run the command and exit with its status."""
    start("data_tools.commands.main")


if __name__ == "__main__":
    main()
