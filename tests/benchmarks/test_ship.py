"""The weights of a run as they ship."""

import json

import torch

import rainnet
from benchmarks.networks.ship import main
from rainnet.weights.checkpoint import facts_of
from tests.support.processes import call
from tests.support.refine import random_refine


def test_weights_stay_and_paths_go(tmp_path):
    recipe = {
        "network": {"name": "refine", "start": str(tmp_path / "first")},
        "data": {"train": [str(tmp_path)], "unpaired_rainy": [str(tmp_path)], "size": 128},
        "run": {"steps": 7},
        "validation": {"data": [str(tmp_path / "pairs")], "every": 2},
        "stages": [],
    }
    net = random_refine()
    (tmp_path / "run").mkdir()
    rainnet.save(net, tmp_path / "run" / "model.safetensors", facts={"steps": 7, "recipe": recipe, "scores": {}})
    told = ("--data", "CC0 pictures", "--hardware", "one thread")
    status, out, err = call(main, tmp_path / "run", "-o", tmp_path / "net.safetensors", *told)
    assert (status, err, "7 steps" in out) == (0, "", True)
    facts = facts_of(tmp_path / "net.safetensors")
    assert str(tmp_path) not in json.dumps(facts)
    assert (facts["data"], facts["hardware"], facts["steps"]) == ("CC0 pictures", "one thread", 7)
    assert (facts["recipe"]["data"]["size"], facts["recipe"]["validation"]["every"]) == (128, 2)
    again = rainnet.load(tmp_path / "net.safetensors")
    assert all(torch.equal(again.state_dict()[key], value) for key, value in net.state_dict().items())
