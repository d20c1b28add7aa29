import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rainopt.io.claim import ClaimedError, claimed
from tests.support.processes import ROOT, environment

HOLD = """
import sys, time
from pathlib import Path
from rainopt.io.claim import claimed
with claimed(Path(sys.argv[1]), Path("dataset")):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path/lock`."""
    call = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(call, stdout=subprocess.PIPE, env=environment(), cwd=ROOT, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_place_that_is_held_is_refused_and_the_holder_is_named(tmp_path, holder):
    told = rf"'dataset' is being written by another run \(process {holder.pid} on .*, since 20"
    with pytest.raises(ClaimedError, match=told), claimed(tmp_path / "lock", Path("dataset")):
        pytest.fail("entered")


def test_a_holder_that_was_killed_holds_nothing(tmp_path, holder):
    lock = tmp_path / "lock"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert lock.exists()
    with claimed(lock, tmp_path):
        pass
    assert not lock.exists()


def test_a_place_is_free_after_the_block_however_it_ended(tmp_path):
    lock = tmp_path / "lock"
    for _ in range(2):
        with pytest.raises(KeyError), claimed(lock, tmp_path):
            raise KeyError
        assert list(tmp_path.iterdir()) == []


def test_one_at_a_time_whoever_asks(tmp_path):
    """Eight threads that take and leave one place: never are two inside, and each gets its turn."""
    lock, inside, entered, most = tmp_path / "lock", [], [], []

    def visit(name):
        while True:
            try:
                with claimed(lock, tmp_path):
                    inside.append(name)
                    most.append(len(inside))
                    inside.remove(name)
                    entered.append(name)
                    return
            except ClaimedError:
                pass

    threads = [threading.Thread(target=visit, args=[k]) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered) == list(range(8))
    assert max(most) == 1


def test_no_place_without_its_folder(tmp_path):
    with pytest.raises(FileNotFoundError), claimed(tmp_path / "none" / "lock", tmp_path):
        pytest.fail("entered")
