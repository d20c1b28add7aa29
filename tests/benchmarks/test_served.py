"""What a page's server takes is measured from outside, and what it says is kept."""

import sys
from pathlib import Path

import pytest

from benchmarks.served import Server, Took, middle_and_slowest

ANSWERS = """
import http.server, json, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/yes" else 404)
        self.end_headers()
        self.wfile.write(b'{"said": 1}')
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps([self.headers["Content-Type"], body.decode(), self.headers["Origin"]]).encode())
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/", "words": sys.argv[1:]}), flush=True)
print("beware", file=sys.stderr)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
"""

posix = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="times of processes as Linux tells them")


@posix
def test_a_server_is_asked_and_measured():
    server = Server([sys.executable, "-S", "-c", ANSWERS])
    assert server.told("/yes") == {"said": 1}
    with pytest.raises(RuntimeError, match="/no: status 404"):
        server.ask("/no")
    with server.clock() as clock:
        assert server.told("/", {"a": 1}) == ["application/json", '{"a": 1}', f"http://{server.address}"]
        assert server.told("/", b"file")[:2] == ["application/octet-stream", "file"]
    assert clock.took.wall >= clock.took.cpu - 0.02 >= 0.06
    assert server.peak() > 1e6
    assert server.close() == "beware"


@posix
def test_a_command_that_serves_nothing_is_an_error_with_its_words():
    with pytest.raises(RuntimeError, match="serves nothing: no rain today"):
        Server([sys.executable, "-c", "import sys; sys.exit('no rain today')"])


def test_steps_are_summed_up_column_by_column():
    steps = [Took(1.0, 9.0), Took(2.0, 8.0), Took(6.0, 1.0)]
    assert middle_and_slowest(steps) == (Took(2.0, 8.0), Took(6.0, 9.0))
