"""A real browser, and servers for it to visit."""

import json
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

from benchmarks.browser import ARGUMENTS, chromium_path
from tests.support.processes import ROOT, command, environment

__all__ = ["ARGUMENTS", "PATIENCE", "Visit", "chromium_path", "serving", "until"]

PATIENCE = 60_000  # milliseconds, where other work shares the cores


class Visit:
    """A page in a window of its own; what it logs as an error, and what it asks for, is kept."""

    def __init__(self, browser, url, size=(1280, 800), **options):
        width, height = size
        self.context = browser.new_context(viewport={"width": width, "height": height}, **options)
        self.context.set_default_timeout(PATIENCE)
        self.errors, self.asked = [], []
        self.page = self.tab(url)

    def tab(self, url):
        """Open a further tab."""
        page = self.context.new_page()
        page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(url)
        return page


def until(page, script):
    """Wait until a script is true; Playwright's own way evaluates texts in the page, which its policy forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(script):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(50)


@contextmanager
def serving(program, *arguments, cwd=ROOT):
    """Run a command that serves a page; yields the process, with the address as `url`, and ends it as Ctrl-C does."""
    words = command(program, *arguments, "--json", "--no-browser")
    options = {"env": environment(), "cwd": cwd, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(words, **options)
    errors = []
    process.url = _address(process, errors)
    rest = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    rest.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        rest.join(timeout=10)
        process.said, process.complained = process.stdout.read(), "".join(errors)
        process.stdout.close()
        process.stderr.close()


def _address(process, errors):
    """Return where a command serves: the first line of its results, or the last of what it says before it waits."""
    if "rate" in process.args:
        for line in process.stderr:
            errors.append(line)
            if line.startswith("open "):
                return line.split()[1]
    else:
        line = process.stdout.readline()
        if line:
            return json.loads(line)["url"]
    raise AssertionError("".join(errors) + process.stderr.read())
