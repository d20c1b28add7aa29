import typer

from benchmarks.peers import command
from tests.support.processes import call


def test_help_teaches():
    status, out, _ = call(command.main, "--help")
    assert status == 0
    assert all(line.strip() in out for line in command.__doc__.splitlines())
    assert all(parameter.help for parameter in typer.main.get_command(command.main).params)


def test_an_unknown_task_is_refused():
    status, _, err = call(command.main, "--only", "colour")
    assert status == 2
    assert "'tv', 'udg', 'background', 'angle', 'stills'" in err
