"""``python -m rainnet`` is the command; torchrun starts it so."""

from rainnet.cli import main

if __name__ == "__main__":
    main()
