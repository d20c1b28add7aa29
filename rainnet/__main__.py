"""``python -m rainnet`` is the command ``rainnet``; torchrun starts it so."""

from rainopt.app.start import start


def main() -> None:
    """Run the command and exit with its status."""
    start("rainnet.commands.main")


if __name__ == "__main__":
    main()
