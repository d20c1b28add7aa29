"""What the documentation says is true: its examples run, and its commands exist."""

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from rainopt.io.images.files import write_image
from tests.support.photographs import rainy
from tests.support.processes import MODULES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not {"_build", "gallery"} & set(page.parts)]
WITH_EXAMPLES = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for package in ("rainopt", "data_tools", "rainnet")
    for file in (ROOT / package).rglob("*.py")
    if re.search(r"^ *>>> ", file.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_docstrings_are_true(name):
    done = doctest.testmod(importlib.import_module(name), optionflags=doctest.FAIL_FAST)
    assert done.attempted
    assert not done.failed


def fenced(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page):
    """Return the words of all commands in fenced blocks of a page, without prompts and comments."""
    for block in fenced(page, r"(?:sh|bash|console|text)?"):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(rf"(\$ )?({'|'.join(MODULES)}) \w", line):
                yield shlex.split(line.removeprefix("$ "), comments=True)


@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.name)
def test_every_command_of_a_page_can_be_given(page):
    for program, name, *arguments in commands(page):
        group = typer.main.get_command(importlib.import_module(f"{MODULES[program].split('.')[0]}.commands.main").app)
        command = group.get_command(typer.Context(group), name)
        assert command is not None, f"{page.name}: {program} has no command {name}"
        # Raises for options that there are not; what their values name need not be there.
        context = typer.Context(command, info_name=name)
        command.make_parser(context).parse_args(args=list(arguments))


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("photo.jpg", rainy()[1])
    for block in fenced(ROOT / "README.md", "python"):
        exec(compile(block, "README.md", "exec"), {})


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if "://" not in link and not (ROOT / link).exists()]
