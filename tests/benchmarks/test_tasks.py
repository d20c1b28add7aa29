"""The benchmark of detectors: what is said between the processes, and the command, with detectors that pretend."""

import json
import re
import stat
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.tasks import bootstrap, command, detector
from benchmarks.tasks.asked import WORKER, DetectorError, Detectors, Seen
from rainopt import write_image
from tests.support.processes import call

HELLO = {"missing": {"people": None, "text": None}, "versions": {"cv2": "0"}}
GREY = np.full((40, 60, 3), 128, np.uint8)
PRETENDS = f"""\
import json, sys
from PIL import Image
print(json.dumps({HELLO!r}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    width, height = Image.open(question["path"]).size
    found = {{"box": [1, 2, width, height], "score": 0.5, "text": question["task"]}}
    print(json.dumps({{"found": [found]}}), flush=True)
"""


@pytest.fixture
def program(tmp_path):
    def write(text):
        path = tmp_path / "worker.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def interpreter(tmp_path):
    """A program that is asked like an interpreter, and answers by itself."""

    def write(text):
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


def test_answers_are_those_of_the_picture_that_was_asked_about(program):
    with Detectors(sys.executable, ("people", "text"), program(PRETENDS)) as detectors:
        assert detectors.missing == {"people": None, "text": None}
        assert detectors.versions == {"cv2": "0"}
        assert detectors.find("people", GREY) == [Seen((1, 2, 60, 40), 0.5, "people")]
        assert detectors.find("text", GREY[:10, :20]) == [Seen((1, 2, 20, 10), 0.5, "text")]


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("input(); print('hello', flush=True); input()", "must answer by an object of JSON, got 'hello'"),
        ("input(); print('[]', flush=True); input()", "must answer by an object of JSON"),
        ("input(); print('{}', flush=True); input()", "not what was agreed: {}"),
        ('input(); print(\'{"found": [{"box": [1]}]}\', flush=True); input()', "not what was agreed"),
        ('input(); print(\'{"error": "no eyes"}\', flush=True); input()', "people: no eyes"),
        ("input(); raise SystemExit('out of memory')", "have ended: out of memory"),
        ("input(); time.sleep(60)", "have not answered for 1 s"),
    ],
)
def test_what_goes_wrong_is_said(program, after, message):
    worker = program(f"import time\nprint({json.dumps(HELLO)!r}, flush=True)\n{after}\n")
    with Detectors(sys.executable, ("people",), worker, longest=1) as detectors:
        with pytest.raises(DetectorError, match=re.escape(message)):
            detectors.find("people", GREY)
        # What has ended stays so, and says so.
        if "ended" in message:
            with pytest.raises(DetectorError):
                detectors.find("people", GREY)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "have ended"), ("print('{}', flush=True)", "must say first"), ("import nothing_such", "No module named")],
)
def test_a_worker_that_does_not_begin_is_told(program, text, message):
    with pytest.raises(DetectorError, match=message):
        Detectors(sys.executable, ("people",), program(text))


def test_an_interpreter_that_is_not_there_is_named():
    with pytest.raises(DetectorError, match="'/no/such/python' cannot be started"):
        Detectors("/no/such/python", ("people",))


def test_the_worker_needs_nothing_to_say_what_it_lacks():
    # -S: without any package that is installed, so both are missing.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(WORKER), "people", "text"],
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["missing"] == {"people": "No module named 'cv2'", "text": "No module named 'rapidocr_onnxruntime'"}
    assert set(said["versions"]) == {"python", "cv2", "rapidocr", "onnxruntime"}


def test_a_bad_question_is_answered(tmp_path):
    write_image(tmp_path / "grey.png", GREY)

    def asked(task, name):
        return detector.answer(json.dumps({"task": task, "path": str(tmp_path / name)}), {"people": lambda picture: []})

    assert asked("people", "grey.png") == {"found": []}
    assert asked("people", "none.png") == {"error": "the picture cannot be read"}
    assert "KeyError" in asked("text", "grey.png")["error"]
    assert "JSONDecodeError" in detector.answer("{", {})["error"]


def test_who_stands_in_a_window_is_three_quarters_of_it():
    left, top, right, bottom = detector.person((0, 0, 64, 128))
    assert (top, bottom) == (16, 112)
    assert (left + right) / 2 == 32
    assert (right - left) / (bottom - top) == pytest.approx(0.41)


def test_what_boxes_share_is_told_of_the_smaller():
    assert detector.shared([0, 0, 10, 10], [5, 0, 10, 10]) == 1
    assert detector.shared([0, 0, 10, 10], [8, 0, 18, 10]) == pytest.approx(0.2)
    assert detector.shared([0, 0, 10, 10], [20, 0, 30, 10]) == 0


def test_the_model_reads_what_is_written():
    pytest.importorskip("rapidocr_onnxruntime")
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (300, 120), "white")
    ImageDraw.Draw(page).text((40, 40), "Harbour", "black", ImageFont.load_default(32))
    (line,) = detector.text_detector()(np.asarray(page))
    assert line["text"] == "Harbour"
    assert line["box"][0] == pytest.approx(40, abs=10)


def test_nobody_is_found_in_an_empty_picture():
    try:
        found = detector.people_detector()
    except ImportError as error:
        pytest.skip(str(error))
    assert [one for one in found(np.full((200, 100, 3), 128, np.uint8)) if one["score"] > 0] == []


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(
        command, "inputs", lambda models: {"rainy": lambda image: image, "negative": lambda image: 255 - image}
    )
    monkeypatch.setattr(command, "QUICK_PICTURES", 1)
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20)


def test_the_command_tells_every_input_with_its_intervals(interpreter, tmp_path, quick):
    target, sheet = tmp_path / "out" / "tasks.json", tmp_path / "out" / "sheet.png"
    python = interpreter(PRETENDS)
    status, out, _ = call(command.main, "--quick", "--detectors", python, "--json", target, "--sheet", sheet)
    assert status == 0
    assert sheet.exists()
    result = json.loads(target.read_text())
    assert result["benchmark"] == "tasks"
    assert result["quick"]
    assert result["missing"] == {}
    people, text = result["tasks"]
    assert people["task"] == "people, HOG, rendered rain"
    assert people["truth"] == "what is found in the clean picture"
    for task in (people, text):
        assert [row["input"] for row in task["rows"]] == ["clean", "rainy", "negative"]
        assert task["task"] in out
        for row in task["rows"]:
            assert set(row) - {"input", "intervals", "gains"} == set(row["intervals"])
    # The same box in every picture: all agree with the clean one. Nothing that was written is read.
    assert all(row["f1"] == 1 for row in people["rows"])
    assert all(row["words_right"] == 0 for row in text["rows"])


def test_a_detector_that_is_missing_is_named_and_the_other_still_asked(interpreter, tmp_path, quick):
    lacks = PRETENDS.replace("'text': None", "'text': 'No module named rapidocr'")
    target = tmp_path / "tasks.json"
    status, _, err = call(command.main, "--quick", "--detectors", interpreter(lacks), "--json", target)
    assert status == 1
    assert "text: " in err
    assert "No module named rapidocr" in err
    assert "benchmarks/tasks/requirements.txt" in err
    result = json.loads(target.read_text())
    assert [task["task"] for task in result["tasks"]] == ["people, HOG, rendered rain"]
    assert list(result["missing"]) == ["text"]


def test_what_was_measured_before_a_failure_is_kept(interpreter, tmp_path, quick):
    fails = PRETENDS.replace("    width", "    if question['task'] == 'text': raise SystemExit('no more')\n    width")
    target = tmp_path / "tasks.json"
    status, _, err = call(command.main, "--quick", "--detectors", interpreter(fails), "--json", target)
    assert status == 1
    assert "have ended: no more" in err
    assert [task["task"] for task in json.loads(target.read_text())["tasks"]] == ["people, HOG, rendered rain"]


def test_without_any_detector_nothing_is_written(interpreter, tmp_path, quick):
    lacks = PRETENDS.replace("None", "'not here'")
    target = tmp_path / "tasks.json"
    status, out, err = call(command.main, "--detectors", interpreter(lacks), "--json", target)
    assert (status, out) == (1, "")
    assert "people: " in err
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--only", "cars"], 2, "--only must be one of people, text, got 'cars'"),
        (["--sheet", "sheet.gif"], 2, "--sheet must end in .png"),
        (["--data", "."], 2, "--data must hold a folder 'photos' or a folder 'clean'"),
        (["--detectors", "/no/such/python"], 1, "cannot be started"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, status, message):
    found, _, err = call(command.main, *arguments)
    assert found == status
    assert message in err
