"""A server of its own process: it says where it is, answers there, and ends in order."""

import http.client
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from rainopt.web.access import Access, AccessError
from rainopt.web.app import create_app
from rainopt.web.serve import serve
from tests.support.processes import ROOT, environment

PROGRAM = """
import asyncio, sys
from rainopt.app.start import start
from rainopt.web.access import Access
from rainopt.web.app import create_app
from rainopt.web.serve import serve
class Program:
    @staticmethod
    def main():
        access = Access(token=sys.argv[1] if len(sys.argv) > 1 else None)
        app = create_app("test", access=access)
        @app.get("/wait")
        async def wait():
            while not app.state.ending.is_set():
                await asyncio.sleep(0.01)
            return "ended"
        try:
            serve(app, access, open_browser=False)
        finally:
            print("tidied", flush=True)
sys.modules["program"] = Program
start("program")
"""


def started(*arguments):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return process, process.stdout.readline().decode().strip()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_when_what_was_asked_is_answered(number, status):
    process, url = started()
    waiting, other = (http.client.HTTPConnection(url.split("/")[2], timeout=20) for _ in range(2))
    with closing(waiting), closing(other):
        waiting.request("GET", "/wait")
        other.request("GET", "/static/kit/../../web/access.py")
        with other.getresponse() as refused:
            assert refused.status == 404
        process.send_signal(number)
        with waiting.getresponse() as answer:
            assert answer.read() == b'"ended"'
    out, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert out == b"tidied\n"
    assert b"Traceback" not in err


def test_the_address_that_is_printed_lets_in():
    process, url = started("a-token-that-is-long")
    with socket.create_connection(url.split("/")[2].split(":")) as connection:
        connection.sendall(f"GET /static/kit/none.js HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n\r\n".encode())
        assert b" 401 " in connection.recv(100)
    with socket.create_connection(url.split("/")[2].split(":")) as connection:
        path = url.partition(url.split("/")[2])[2]
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n\r\n".encode())
        assert b" 404 " in connection.recv(100)  # there is no page at "/", and that is told
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def test_an_address_that_cannot_be_bound_is_said():
    access = Access(host="192.0.2.1")  # of no machine
    with pytest.raises(AccessError, match="cannot be bound"):
        serve(create_app("test", access=access), access, open_browser=False)


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        access = Access(port=taken.getsockname()[1])
        with pytest.raises(AccessError, match="in use"):
            serve(create_app("test", access=access), access, open_browser=False)
