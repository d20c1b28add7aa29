"""The folder of a run: what may be gone on with."""

import json

import pytest
import torch

from rainnet.train.loop import train
from rainnet.train.run_folder import RunError, RunFolder
from rainopt.io.own_results import RECORD
from tests.support.toy import Watcher, assert_same, batches, state_of, toy_recipe

pytestmark = pytest.mark.usefixtures("toy")


def run(folder, resume=False, **settings):
    return train(toy_recipe(run=settings), RunFolder(folder), batches, Watcher(), device="cpu", resume=resume)


def test_it_holds_the_recipe_the_state_and_the_model(tmp_path):
    run(tmp_path / "run", steps=1)
    names = {file.name for file in (tmp_path / "run").iterdir()}
    assert names == {"recipe.json", "last.ckpt", "model.safetensors", RECORD}
    assert json.loads((tmp_path / "run/recipe.json").read_text())["run"]["steps"] == 1


def test_it_is_not_written_over(tmp_path):
    run(tmp_path / "run", steps=1)
    with pytest.raises(RunError, match="holds a run; --resume goes on with it"):
        run(tmp_path / "run", steps=1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty; name another folder"):
        run(tmp_path / "other", steps=1)
    with pytest.raises(RunError, match="holds no run to go on with"):
        run(tmp_path / "other", resume=True, steps=1)
    with pytest.raises(RunError, match="is a file; name a folder"):
        run(tmp_path / "other" / "letter.txt")


def test_it_is_not_gone_on_with_by_another_recipe(tmp_path):
    run(tmp_path / "run", steps=2)
    with pytest.raises(RunError, match=r"run\.batch: 2 → 3"):
        run(tmp_path / "run", resume=True, steps=2, batch=3)
    with pytest.raises(RunError, match=r"has 2 steps done, and run.steps is 1; ask for more"):
        run(tmp_path / "run", resume=True, steps=1)
    with pytest.raises(RunError, match=r"was trained by 1 processes, not 2"):
        RunFolder(tmp_path / "run").state_for(toy_recipe(run={"steps": 2}), 2)
    run(tmp_path / "run", resume=True, steps=4, log_every=3)  # more steps may be asked for, and other lines
    assert state_of(tmp_path / "run")["step"] == 4


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_was_killed_before_it_saved_anything_is_begun_again(tmp_path, resume):
    torch.manual_seed(1)
    whole = run(tmp_path / "whole", steps=2)
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "recipe.json").write_text("{}")
    (killed / ".run.lock").touch()
    (killed / ".0123456789abcdef.1.ab.tmp").write_bytes(b"half")
    torch.manual_seed(1)
    assert_same(run(killed, resume=resume, steps=2).state_dict(), whole.state_dict())
    assert (killed / "last.ckpt").is_file()
    assert json.loads((killed / "recipe.json").read_text())["run"]["steps"] == 2


@pytest.mark.parametrize("resume", [False, True])
def test_one_run_at_a_time_fills_it(tmp_path, resume):
    folder = RunFolder(tmp_path / "run")
    if resume:
        run(folder.path, steps=1)
    else:
        folder.make()
    before = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    with folder.held(), pytest.raises(RunError, match=r"run' is being written by another run \(process \d+ on "):
        run(folder.path, resume=resume, steps=3)
    assert {file.name: file.read_bytes() for file in folder.path.iterdir()} == before
    run(folder.path, resume=resume, steps=3)
    assert not (folder.path / ".run.lock").exists()


def test_a_state_of_another_config_or_with_something_missing_is_named(tmp_path):
    run(tmp_path / "run", steps=1)
    file = tmp_path / "run/last.ckpt"
    state = torch.load(file, weights_only=True)
    torch.save(state | {"config": {"channels": 3000}}, file)
    with pytest.raises(RunError, match=r"holds no toy to go on with .*does not fit"):
        run(tmp_path / "run", resume=True, steps=2)
    torch.save({key: state[key] for key in state if key != "optimisers"}, file)
    with pytest.raises(RunError, match="it lacks 'optimisers'"):
        run(tmp_path / "run", resume=True, steps=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"nothing", r"last.ckpt' is no state of a run"), ({"format": 1}, "not a state that this version writes")],
)
def test_a_state_that_cannot_be_read_is_named(tmp_path, content, message):
    run(tmp_path / "run", steps=1)
    state = tmp_path / "run/last.ckpt"
    torch.save(content, state) if isinstance(content, dict) else state.write_bytes(content)
    with pytest.raises(RunError, match=message):
        run(tmp_path / "run", resume=True, steps=1)
