"""The one file that a command is told to write."""

from __future__ import annotations

from pathlib import Path

import typer


def require_free(output: Path, suffix: str, overwrite: bool) -> None:
    """Require a name with a suffix, in a folder that exists, that nothing has yet: before the work and not after."""
    problem = None
    if output.suffix != suffix:
        problem = f"must end in {suffix}, got '{output}'"
    elif not output.parent.is_dir():
        problem = f"there is no folder '{output.parent}'; create it first"
    elif output.is_dir():
        problem = f"'{output}' is a folder; name a file"
    elif output.exists() and not overwrite:
        problem = f"'{output}' is there already; choose another name, or replace it with --overwrite"
    if problem:
        raise typer.BadParameter(problem, param_hint="--output")
