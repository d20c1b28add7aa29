"""The words of a command as a result tells them: how to run it again, and no path of the computer it ran on."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from typer.models import ArgumentInfo, ParameterInfo

# Where results and pictures go says nothing about them.
LEFT_OUT = frozenset({"--json", "--out", "--sheet"})


def command_words(function: Callable[..., Any], values: Mapping[str, Any]) -> str:
    """Return a command such as "python -m benchmarks.angle.accuracy --data DIR --limit 3".

    Parameters
    ----------
    function
        The function that is the command; its parameters are annotated with what typer makes of them.
    values
        What it is called with, by name; what is as by default is not told.
    """
    return " ".join([module_words(), *_options(function, values)])


def module_words() -> str:
    """Return "python -m MODULE" of the module that this process runs."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return "python -m " + ("benchmarks" if spec is None else str(spec.name).removesuffix(".__main__"))


def _options(function: Callable[..., Any], values: Mapping[str, Any]) -> Iterable[str]:
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        value = values.get(name, parameter.default)
        infos = [one for one in get_args(parameter.annotation) if isinstance(one, ParameterInfo)]
        if not infos or value == parameter.default or value is None:
            continue
        option = "" if isinstance(infos[0], ArgumentInfo) else _option(name, infos[0])
        if option in LEFT_OUT:
            continue
        if isinstance(value, bool):
            yield option if value else option.replace("--", "--no-", 1)
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            yield from filter(None, [option, _shown(infos[0], one)])


def _option(name: str, info: ParameterInfo) -> str:
    """Return the long name of an option: the one that is given to typer, or else the one that typer makes."""
    # Inside of `Annotated` typer takes its first argument, the place of a default, for the first name.
    names = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
    given = [one.split("/")[0] for one in names if one.startswith("--")]
    return given[0] if given else "--" + name.replace("_", "-")


def _shown(info: ParameterInfo, value: Any) -> str:
    """Return a value as it is told: what stands for it in the help, where it is a path."""
    text = str(value)
    if isinstance(value, Path) or "/" in text or "\\" in text:
        return str(info.metavar or "FILE")
    return shlex.quote(text)
