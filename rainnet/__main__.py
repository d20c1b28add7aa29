"""``python -m rainnet`` is the command; torchrun starts it so."""

from rainnet.commands.main import main

if __name__ == "__main__":
    main()
