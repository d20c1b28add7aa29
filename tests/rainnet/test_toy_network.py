"""What a network needs to be one of the house: everything here works for one that was added by the tables alone."""

import logging

import numpy as np
import onnx
import pytest
import torch

import rainnet
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.data.kinds import KINDS
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import find_methods
from rainnet.export.onnx import ExportError, export_onnx
from rainnet.infer import tiles
from rainnet.models.decomposition import Layers
from rainnet.programs.base import ExampleSpec
from rainnet.train.build import needs_of
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainopt import write_image
from tests.support.toy import Toy, ToyConfig, ToyProgram, Watcher, assert_same, in_zoo, toy_recipe

LYING = {"data": {"kind": "rendered"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of two scenes with two rainy pictures each, which serves as any kind of data."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for scene in range(2):
        clean = np.kron(rng.random((5, 6, 3)) * 0.6, np.ones((8, 8, 1)))
        (root / "ground_truth").mkdir(exist_ok=True)
        (root / "rainy_image").mkdir(exist_ok=True)
        write_image(root / f"ground_truth/{scene}.png", clean)
        for version in (1, 2):
            rainy = clean + 0.3 * (rng.random((1, 48, 1)) > 0.9)
            write_image(root / f"rainy_image/{scene}_{version}.png", rainy)
    return root


def run(recipe, out, watcher=None, **options):
    batches = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))
    return train(recipe, RunFolder(out), batches, watcher or Watcher(), device="cpu", **options)


def of_kind(kind, folder, **sections):
    files = {"rendered": folder / "ground_truth", "single": folder / "rainy_image/0_1.png"}
    data = {"kind": kind, "train": [files.get(kind, folder)]} | sections.pop("data", {})
    loss = {} if kind in ("rendered", "pairs") else {"truth": 0.0}
    return toy_recipe(data=data, loss=loss | sections.pop("loss", {}), **sections)


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_on_each_kind_of_data_and_its_file_rebuilds_it(toy, folder, tmp_path, kind):
    watcher = Watcher()
    network = run(of_kind(kind, folder, network={"config": {"strength": 0.2}}), tmp_path / "run", watcher)
    assert [step.number for step in watcher.steps] == [1, 2, 3, 4, 5, 6]
    loaded = rainnet.load(tmp_path / "run")
    assert_same(loaded.state_dict(), network.state_dict())
    assert (type(loaded), loaded.config) == (Toy, ToyConfig(strength=0.2))


def test_it_resumes(toy, folder, tmp_path):
    recipe = of_kind("rendered", folder)
    whole = run(recipe, tmp_path / "whole")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(of_kind("rendered", folder, run={"save_every": 2}), tmp_path / "part", Watcher(5, stop))
    rest = Watcher()
    assert_same(run(recipe, tmp_path / "part", rest, resume=True).state_dict(), whole.state_dict())
    assert rest.steps[0].number == 5


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 40, 3), (33, 18, 4), (50, 31)])
def test_it_derains_any_size(toy, rng, shape):
    net, image = rainnet.create("toy"), 0.5 + 0.5 * rng.random(shape)
    result = rainnet.derain(net, image)
    assert result.background.shape == shape
    assert result.angle is None
    if image.ndim == 3:
        planes = torch.from_numpy(image[None, ..., :3].astype(np.float32)).permute(0, 3, 1, 2)
        with torch.no_grad():
            whole = net(planes).background[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(result.background[..., :3], whole, atol=1e-6)


def test_it_is_compared_with_other_methods(toy, folder, tmp_path):
    from data_tools.layouts.read import read_dataset

    file = rainnet.save(rainnet.create("toy"), tmp_path / "toy.safetensors")
    report = evaluate(find_methods(["input", str(file)], device="cpu"), read_dataset(folder))
    assert report.ok
    assert [method.count("y_matlab") for method in report.methods] == [4, 4]


def test_it_exports(toy, tmp_path):
    exported = export_onnx(rainnet.create("toy"), tmp_path / "toy.onnx")
    assert exported.difference < 1e-5
    assert [entry.name for entry in onnx.load(exported.path).graph.input] == ["rainy"]


def test_without_its_entry_its_file_is_of_an_unknown_network(tmp_path):
    with in_zoo():
        file = rainnet.save(rainnet.create("toy"), tmp_path / "toy.safetensors")
    with pytest.raises(ValueError, match="'toy' is no network"):
        rainnet.load(file)


class TwoFrames(ToyProgram):
    """Learns from two rains over one scene, without the scene: what is left must be the same."""

    @classmethod
    def needs(cls, loss):
        return ExampleSpec(frames=2)

    def forward(self, batch, turn, progress):
        first, other = (rainy - self.network.layers(rainy).removed for rainy in batch["rainy"].unbind(1))
        return {"consistency": (first - other).abs().mean()}


@pytest.mark.parametrize("kind", ["rendered", "pairs"])
def test_it_learns_from_two_frames_of_a_scene(folder, tmp_path, kind):
    watcher = Watcher()
    with in_zoo(TwoFrames):
        run(of_kind(kind, folder, run={"steps": 40, "picture_every": 40}), tmp_path / "run", watcher)
    told = [step.terms["consistency"] for step in watcher.steps]
    assert np.mean(told[-10:]) < np.mean(told[:10])
    assert {shown.shape for shown in watcher.shown[0][1].values()} == {(2, 3, 16, 16)}


class UprightToy(Toy):
    directional = True


class UprightProgram(ToyProgram):
    @classmethod
    def needs(cls, loss):
        return ExampleSpec(upright=True, truth=True)


def test_a_directional_network_that_finds_no_angle_is_told_it(folder, tmp_path, rng):
    with in_zoo(UprightProgram, UprightToy):
        net = run(of_kind("rendered", folder), tmp_path / "run")
        image = rng.random((30, 40, 3))
        assert rainnet.derain(net, image, angle=20).angle == 20
        assert rainnet.derain(net, image, angle="solver").angle is not None
        with pytest.raises(ValueError, match="`angle` cannot be 'network': toy finds none; give degrees or 'solver'"):
            rainnet.derain(net, image, angle="network")
        with pytest.raises(ValueError, match="`angle` must be given"):
            net(torch.rand(1, 3, 8, 8))
        with pytest.raises(ExportError, match="export its core"):
            export_onnx(net, tmp_path / "whole.onnx")


class Pooled(Toy):
    """Removes a share of the mean of what it sees."""

    reach = None

    def layers(self, rainy):
        found = self.config.strength * rainy.mean(dim=(-2, -1), keepdim=True) * torch.ones_like(rainy)
        return Layers(found, found)


@pytest.fixture
def pooled():
    with in_zoo(model=Pooled):
        yield rainnet.create("toy", strength=0.4)


def test_a_network_that_sees_the_whole_is_run_whole(pooled, rng, caplog):
    image = rng.random((1100, 64, 3), dtype=np.float32)
    result = rainnet.derain(pooled, image, device="cpu").background
    with torch.no_grad():
        whole = pooled(torch.from_numpy(image).permute(2, 0, 1)[None]).background[0].permute(1, 2, 0)
    np.testing.assert_allclose(result, whole, atol=1e-6)
    assert not caplog.records


@pytest.mark.parametrize("asked", [True, False])
def test_in_tiles_it_blends_widely_and_says_so(pooled, rng, caplog, monkeypatch, asked):
    light = np.linspace(0, 1, 600)[:, None, None]  # so that tiles see other means
    image = (0.2 + 0.6 * light * rng.random((1, 160, 3))).astype(np.float32)
    whole = rainnet.derain(pooled, image, tile=0, device="cpu").background
    if not asked:
        monkeypatch.setattr(tiles, "free_bytes", lambda device: 1_000_000)
    with caplog.at_level(logging.WARNING):
        tiled = rainnet.derain(pooled, image, tile=100 if asked else None, device="cpu").background
    apart = np.abs(tiled - whole)
    assert 1e-3 < apart.max() < 0.2
    # No line where tiles meet.
    assert np.abs(np.diff(tiled - whole, axis=0)).max() < 0.1 * apart.max()
    assert "sees pictures whole" in caplog.text
    assert ("as it was asked" if asked else "for want of memory") in caplog.text
