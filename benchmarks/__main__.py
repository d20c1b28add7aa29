"""``python -m benchmarks`` runs benchmarks and lists their results."""

from rainopt.app.start import start


def main() -> None:
    """Run the command and exit with its status."""
    start("benchmarks.entry")


if __name__ == "__main__":
    main()
