"""Servers that are killed in the midst of decisions: what was confirmed is there.

`tests/rainopt/io/test_journal.py` says the same of journals alone, in a second.
"""

import http.client
import json
import os
import signal
import subprocess
import threading
from contextlib import closing

import pytest

from data_tools.decisions.board import Board
from tests.support.processes import ROOT, command, environment
from tests.support.reviews import reviewable, scene_names


def served(dataset, *options):
    """Start `raindata review`; return the process and its address."""
    words = command("raindata", "review", dataset, "--no-browser", "--json", "--reviewer", "ada", *options)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(words, env=environment(), cwd=ROOT, **pipes)
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return process, json.loads(line)["url"].split("/")[2]


def post(connection, address, path, body):
    headers = {"Origin": f"http://{address}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    with connection.getresponse() as answer:
        return answer.status, json.loads(answer.read())


def deciding(dataset, decisions, scenes, kill_after):
    """Decide, kill the server while it goes on, and return what was confirmed, in order."""
    process, address = served(dataset)
    confirmed = []
    enough = threading.Event()

    def decide():
        with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            for k in range(decisions):
                verdict = ("accept", "reject")[k * 7 % 3 % 2]
                try:
                    status, answer = post(
                        connection, address, f"/api/scenes/{k % scenes}/decision", {"verdict": verdict, "note": str(k)}
                    )
                except (OSError, http.client.HTTPException):
                    break
                assert status == 200
                confirmed.append((answer["entry"], answer["scene"]["id"], verdict, str(k)))
                if len(confirmed) == kill_after:
                    enough.set()
            enough.set()

    thread = threading.Thread(target=decide)
    thread.start()
    enough.wait(250)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    thread.join()
    return confirmed


def check(dataset, confirmed):
    board = Board(dataset)
    assert not board.faults()
    lines = (dataset / "review" / "ada.jsonl").read_bytes().split(b"\n")
    entries = [json.loads(line) for line in lines[:-1]]
    found = [(f"ada:{one['entry']}", one["scene"], one["verdict"], one["note"]) for one in entries]
    assert found[: len(confirmed)] == confirmed
    assert len(found) <= len(confirmed) + 1  # one more may be there that nobody was told of


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("kill_after", [1, 250, 500])
def test_a_server_killed_amid_a_thousand_decisions_has_lost_none(tmp_path, kill_after):
    dataset = reviewable(tmp_path / "set", scenes=40)
    confirmed = deciding(dataset, 1000, 40, kill_after)
    assert kill_after <= len(confirmed) < 1000
    check(dataset, confirmed)


@pytest.mark.slow
def test_two_servers_of_one_reviewer_lose_no_decision_of_each_other(tmp_path):
    dataset = reviewable(tmp_path / "set", scenes=40)
    servers = [served(dataset) for _ in range(2)]

    def decide(address, begin):
        with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            for number in range(begin, 40, 2):
                body = {"verdict": ("accept", "reject")[begin]}
                assert post(connection, address, f"/api/scenes/{number}/decision", body)[0] == 200

    threads = [threading.Thread(target=decide, args=(servers[k][1], k)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process, _ in servers:
        process.send_signal(signal.SIGINT)
    ended = [process.communicate(timeout=60)[1] for process, _ in servers]
    assert [process.returncode for process, _ in servers] == [130, 130]
    assert all(b"40 of 40 scenes" in err for err in ended)
    board = Board(dataset)
    verdicts = [board.opinion("ada", name).verdict for name in scene_names(40)]
    assert verdicts.count("accept") == verdicts.count("reject") == 20
