"""However a program ends, it says so in a line, with its status, and without a traceback."""

import os
import signal
import subprocess
import sys
import time

import pytest

from rainopt.app import options
from rainopt.app.console import open_consoles, printable
from rainopt.app.options import new_app, refusing
from tests.support.photos import save_photo
from tests.support.processes import MODULES, call, command, environment, run

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of POSIX")
NASTY = "a\x1b[31mred\r\nnew\u202e\x9b.png"
toy = new_app("toy")


@toy.command("stop")
def stop() -> None:
    raise KeyboardInterrupt


@toy.command("refuse")
def refuse(name: str = "") -> None:
    with refusing("--name", ValueError):
        raise ValueError(f"'{name}' is bad")


# Interruptions


def test_an_interruption_is_one_word():
    assert call(toy, "stop") == (130, "", "interrupted")


SLOW_IMPORT = """
import signal, sys, types
from rainopt.app.start import start

class Slow(types.ModuleType):
    def main(self):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise {error}

sys.modules["slow"] = Slow("slow")
start("slow")
"""


@posix
@pytest.mark.parametrize("error", ["", "from None", "ImportError('a library that was interrupted')"])
def test_an_interruption_while_modules_are_imported_is_one_word(error):
    code = SLOW_IMPORT.format(error=error if error != "from None" else "KeyboardInterrupt from None")
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


@posix
@pytest.mark.slow
@pytest.mark.parametrize("program", MODULES)
@pytest.mark.parametrize("delay", [0.15, 0.25, 0.4, 0.6])
def test_ctrl_c_at_any_moment_of_the_start(program, delay):
    words = [part.removesuffix(".commands.main") for part in command(program, "--help")]
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        time.sleep(delay)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate()
    assert run.returncode in (0, 130, -signal.SIGINT)
    assert err in ("", "interrupted\n")


# Streams


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_behind_standard_output_is_a_sentence(tmp_path, form):
    save_photo(tmp_path / "out" / "a.png")  # there already: nothing is to be computed
    with open("/dev/full", "w") as full:
        streams = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        done = run("rainopt", "derain", "a.png", "-o", "out", *form, cwd=tmp_path, **streams)
    assert done.returncode == 1
    assert done.stderr == "failed  the output cannot be written (No space left on device); check where it goes\n"


# Names


def test_no_name_steers_the_terminal(capsys):
    out, err = open_consoles()
    for console in (out, err):
        console.print(NASTY)
    said = capsys.readouterr()
    for text in (said.out, said.err, printable(NASTY) + "\n"):
        assert text == "a\\x1b[31mred\\r\\nnew\\u202e\\x9b.png\n"
    assert printable("Ünï ☂ two words") == "Ünï ☂ two words"


def test_names_in_refusals_are_printable():
    status, _, err = call(toy, "refuse", "--name", NASTY)
    assert status == 2
    assert "a\\x1b[31mred\\r\\nnew" in err


# Arguments


@pytest.mark.parametrize("words", [["stop", ""], ["refuse", "--name", ""], ["refuse", "--name="]])
def test_an_empty_argument_is_wrong_usage_everywhere(words):
    status, out, err = call(toy, *words)
    assert (status, out) == (2, "")
    assert "is empty, as of a variable that is not set" in err


def test_streams_of_programs_are_flushed_before_they_end(monkeypatch):
    class Full:
        def flush(self):
            raise OSError(28, "No space left on device")

        def write(self, text):
            return len(text)

        def fileno(self):
            raise OSError("there is none")

    monkeypatch.setattr(sys, "argv", ["toy", "refuse", "--help"])
    monkeypatch.setattr(options.sys, "stdout", Full())
    with pytest.raises(SystemExit) as caught:
        options.run(toy)
    assert caught.value.code == 1
