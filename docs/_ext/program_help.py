"""The directive ``program-help``: the help of all commands of a program, as the program itself has it.

    ```{program-help} rainopt.commands.main
    ```

Every command becomes a section, every option an anchor that ``{option}`` leads to, and an option that is named in the
help of its own command a link.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# An option in running text; code spans, which are passed over, come first.
_NAMED = re.compile(r"`[^`]*`|(?<![\w`./-])(--?[a-z][a-z-]*)")
# What the help puts behind an option: its default, its range, whether it is required.
_FACTS = re.compile(r"\s*\[([^\[\]]*)\]$")


class ProgramHelp(SphinxDirective):
    """Render the help of the program whose typer application is `app` in the module that is named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        app = import_module(self.arguments[0]).app
        group: Any = typer.main.get_command(app)
        program = app.info.name
        top = typer.Context(group, info_name=program)
        found = self.parse_text_to_nodes("\n".join([group.help, "", *_options(program, [], group, top)]))
        for name in group.list_commands(top):
            command = group.get_command(top, name)
            context = typer.Context(command, info_name=name, parent=top)
            called = f"{program} {name}"
            section = nodes.section(names=[nodes.fully_normalize_name(called)])
            section += nodes.title(called, called)
            self.state.document.note_implicit_target(section, section)
            section += self.parse_text_to_nodes("\n".join(_section(called, command, context)))
            found.append(section)
        return found


def _section(called: str, command: Any, context: Any) -> list[str]:
    """Return one command in Markdown: how it is called, what it does, its arguments and its options."""
    called_with = " ".join(command.collect_usage_pieces(context))
    known = [word for parameter in command.params for word in parameter.opts + parameter.secondary_opts]
    lines = ["```text", f"{called} {called_with}", "```", "", _linked(command.help, called, known), ""]
    return lines + _options(called, known, command, context)


def _options(called: str, known: list[str], command: Any, context: Any) -> list[str]:
    """Return the parameters of a command; `known` are the options that become links where they are named."""
    lines = []
    for parameter in command.params:
        declared, told = parameter.get_help_record(context)
        told, facts = told.strip(), ""
        if found := _FACTS.search(told):
            told, facts = told[: found.start()], found[1]
        shown = [_linked(told, called, known), *([f"[{facts}]{{.facts}}"] if facts else [])]
        if parameter.param_type_name == "argument":
            lines += [f"`{declared.split()[0]}`", f": {' '.join(shown)}", ""]
        else:
            lines += [f"````{{option}} {declared.replace(' / ', ', ')}", " ".join(shown), "````", ""]
    return [f"```{{program}} {called}", "```", "", *lines] if lines else lines


def _linked(text: str, called: str, known: list[str]) -> str:
    """Return text whose options are links if they are known, and code if not."""

    def replaced(match: re.Match[str]) -> str:
        option = match[1]
        if option is None:
            return match[0]
        return f"{{option}}`{option} <{called} {option}>`" if option in known else f"`{option}`"

    return _NAMED.sub(replaced, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("program-help", ProgramHelp)
    return {"version": "1", "parallel_read_safe": True}
