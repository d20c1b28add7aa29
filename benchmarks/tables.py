"""Tables on a terminal, or whole in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: text to the left, numbers to the right."""
    from rich.console import Console
    from rich.table import Table

    texts = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left")
    for k, name in enumerate(header):
        left = k == 0 or any(row[k] and not _is_number(row[k]) for row in texts)
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for row in texts:
        table.add_row(*row)
    console = Console()
    # Into a file or a pipe a table is written whole, however wide.
    (console if console.is_terminal else Console(width=160)).print(table)


def _is_number(text: str) -> bool:
    return text[:1] in "+-0123456789"
