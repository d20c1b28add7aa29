"""The same option is the same in all three programs, and what a wrong value says."""

import re
import sys
import tomllib
from collections import defaultdict
from importlib import import_module
from types import NoneType, SimpleNamespace
from typing import get_args, get_type_hints

import pytest
import typer

import rainopt
from rainopt.app import options, video_options
from rainopt.app.options import checked_angle, new_app, refusing
from tests.support.processes import ROOT, call

PROGRAMS = {
    name: import_module(f"{package}.commands.main").app
    for name, package in (("rainopt", "rainopt"), ("raindata", "data_tools"), ("rainnet", "rainnet"))
}
# A network finds the direction itself if a word says so.
OWN_TYPE = {"--angle"}
toy = new_app("toy")


@toy.command("shared")
@toy.command("other")
def every_shared_option(
    output: options.Output,
    overwrite: options.Overwrite = False,
    save_rain: options.SaveRain = False,
    compare: options.Compare = False,
    jobs: options.Jobs = 1,
    device: options.Device = "auto",
    quality: options.Quality = 95,
    crf: options.Crf = 18,
    codec: video_options.Codec = None,
    sequence: video_options.Sequence = False,
    rate: video_options.Rate = None,
    start: video_options.Start = None,
    stop: video_options.Stop = None,
    keep: video_options.Keep = None,
    preview: video_options.Preview = None,
    live: video_options.Live = False,
    json_lines: options.JsonLines = False,
) -> None:
    """Hold every option that is said once for all programs, and stop."""
    raise KeyboardInterrupt


def commands_of(app):
    return typer.main.get_command(app).commands


def options_of(program, app):
    """All options of the commands of a program, by their long name."""
    by_name = defaultdict(list)
    for (name, command), info in zip(commands_of(app).items(), app.registered_commands, strict=True):
        hints = get_type_hints(info.callback, include_extras=True)
        for parameter in command.params:
            if parameter.param_type_name != "option":
                continue
            kind, said = get_args(hints[parameter.name])[:2]
            kinds = [part for part in get_args(kind) or [kind] if part is not NoneType]
            # Of a repeatable option, what is repeated.
            kinds = [get_args(part)[0] if get_args(part) else part for part in kinds]
            names = sorted(parameter.opts + parameter.secondary_opts, key=lambda name: name.startswith("--"))
            option = SimpleNamespace(command=f"{program} {name}", help=parameter.help)
            option.meaning = names, kinds, said.min, said.max
            option.default = parameter.default
            by_name[next(long for long in names if long.startswith("--"))].append(option)
    return by_name


SHARED = {name: same[0] for name, same in options_of("toy", toy).items()}
ALL = defaultdict(list)
for program, app in PROGRAMS.items():
    for name, same in options_of(program, app).items():
        ALL[name] += same


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_same_name_is_the_same_type_and_letter_everywhere(name):
    first, *others = ALL[name]
    for other in others:
        names, kinds, *_ = other.meaning
        assert names == first.meaning[0], (first.command, other.command)
        assert kinds == first.meaning[1] or name in OWN_TYPE, (first.command, other.command)


@pytest.mark.parametrize("name", sorted(SHARED))
def test_a_shared_option_is_the_same_wherever_it_is(name):
    shared = SHARED[name]
    for option in ALL[name]:
        # What is written, and where, is what commands differ in.
        same = option.help == shared.help
        assert same or name == "--output", option.command
        if same:
            assert (option.meaning, option.default) == (shared.meaning, shared.default)
    assert any(option.help == shared.help for option in ALL[name])


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_names_every_command_option_and_exit_status(program, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    names = list(commands_of(PROGRAMS[program]))
    status, out, _ = call(PROGRAMS[program], "--help")
    assert status == 0
    assert all(name in out for name in [*names, "--help"])
    for name in names:
        status, out, _ = call(PROGRAMS[program], name, "--help")
        plain = re.sub(r"\x1b\[[\d;]*m", "", out)
        assert status == 0
        assert "Exit status" in plain
        here = [option for same in ALL.values() for option in same if option.command == f"{program} {name}"]
        assert all(long in plain and option.help for option in here for long in option.meaning[0])


@pytest.mark.parametrize("program", PROGRAMS)
def test_version(program):
    assert call(PROGRAMS[program], "--version") == (0, f"{program} {rainopt.__version__}\n", "")


def test_a_value_that_raises_is_wrong_usage_that_names_its_option():
    for errors, raised in (((), ValueError), ((), FileNotFoundError), ((KeyError,), KeyError)):
        with pytest.raises(typer.BadParameter, match="odd") as caught, refusing("--tile", *errors):
            raise raised("odd")
        assert caught.value.param_hint == "--tile"
    with pytest.raises(ValueError, match="odd"), refusing("--tile", KeyError):
        raise ValueError("odd")


def test_angles_are_those_of_lines():
    assert [checked_angle(angle) for angle in (None, 0.0, 90.0, -89.9)] == [None, 0.0, 90.0, -89.9]
    for angle in (-90.0, 90.5, float("nan"), float("inf")):
        with pytest.raises(typer.BadParameter, match=rf"must be in \(-90, 90\] degrees, got {angle:g}") as caught:
            checked_angle(angle)
        assert caught.value.param_hint == "--angle"


def test_an_interruption_is_status_130(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["toy", "shared", "-o", "out"])
    with pytest.raises(SystemExit) as caught:
        options.run(toy)
    assert caught.value.code == 130


@pytest.mark.parametrize(
    ("error", "extra"),
    [
        (ImportError("manifests need this; pip install 'rainopt[data]'"), "data"),
        (ModuleNotFoundError("No module named 'torch'", name="torch.nn"), "net"),
        (ModuleNotFoundError("No module named 'odd'", name="odd"), None),
    ],
)
def test_a_missing_extra_is_a_sentence_and_any_other_import_a_traceback(capsys, error, extra):
    def missing(**_):
        raise error

    with pytest.raises(SystemExit if extra else ImportError) as caught:
        options.run(missing)
    if extra:
        assert caught.value.code == 1
        assert f"pip install 'rainopt[{extra}]'" in capsys.readouterr().err


def test_every_extra_that_is_named_is_one_of_the_distribution():
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    code = [file for package in ("rainopt", "rainnet", "data_tools") for file in ROOT.glob(f"{package}/**/*.py")]
    named = {
        extra
        for text in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *code]
        for words in re.findall(r"pip install '(?:rainopt|\.)\[([a-z,]+)\]'", text.read_text(encoding="utf-8"))
        for extra in words.split(",")
    }
    assert {"net", "data", "video"} <= named <= extras
    assert set(options.EXTRAS.values()) <= extras
