"""Pixels that a dataset does not vouch for neither teach nor score, from the file to the loss and to the report."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_tools.export.dataset import export_dataset
from data_tools.export.settings import ExportSettings
from data_tools.layouts.read import read_dataset
from data_tools.manifest.file import read_manifest, write_manifest
from data_tools.manifest.record import PairRecord
from rainnet.data import DataError, PairCrops
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import find_methods
from rainnet.evaluate.table import tables
from rainnet.losses.truth import TruthLoss
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import ValidationSection
from rainnet.train.validator import Validator
from rainopt import psnr, read_image, ssim
from tests.support.datasets import put
from tests.support.pairs import clean, rainy
from tests.support.udgnet import random_udgnet

SIZE, SIDE = (48, 64), 16
TRUTH = ExampleSpec(upright=True, truth=True, angle=True)


@pytest.fixture
def root(tmp_path):
    """Two pairs of one clean picture: in one, a walker is in the rainy picture and not in the clean one."""
    records = []
    valid = np.full(SIZE, 255, np.uint8)
    valid[10:40, 8:30] = 0
    for k, mask in enumerate((valid, None)):
        wet = rainy(1, SIZE)
        wet[valid == 0] = (250, 20, 20) if mask is not None else wet[valid == 0]
        put(tmp_path / f"rainy/{k}.png", wet)
        put(tmp_path / f"clean/{k}.png", clean(1, SIZE))
        extra = {}
        if mask is not None:
            put(tmp_path / f"valid/{k}.png", mask)
            extra = {"valid": f"valid/{k}.png"}
        records.append(PairRecord(id=str(k), rainy=f"rainy/{k}.png", clean=f"clean/{k}.png", angle=10.0, **extra))
    write_manifest(tmp_path, records)
    return tmp_path


def test_masks_come_from_manifests_and_from_exported_lists(root, tmp_path_factory):
    (masked, whole) = read_dataset(root)
    assert (masked.valid, whole.valid) == (root / "valid/0.png", None)
    lists = tmp_path_factory.mktemp("spa")
    export_dataset(root, lists, ExportSettings(to="spa"))
    found = read_dataset(lists)
    assert found.name == "spa"
    assert not found.notes
    assert [pair.valid is not None for pair in found] == [True, False]
    (mask,) = (pair.valid for pair in found if pair.valid)
    assert mask.read_bytes() == (root / "valid/0.png").read_bytes()


def test_a_pair_whose_mask_is_gone_is_none(root):
    (root / "valid/0.png").unlink()
    found = read_dataset(root)
    assert [pair.name for pair in found] == ["1"]
    assert found.problems == ("record '0': 'valid/0.png' is missing",)


def test_pairs_to_be_reviewed_are_not_trained_on(root, caplog):
    first, second = read_manifest(root)
    write_manifest(root, [first.model_copy(update={"status": "review"}), second])
    assert [pair.name for pair in PairCrops(root, SIDE, TRUTH).pairs] == ["1"]
    assert "left out, as marked to be reviewed: 1 pair; " in caplog.text
    exported = export_dataset(root, root.parent / "spa", ExportSettings(to="spa"))
    assert exported.pairs == 1
    assert "left out, as marked to be reviewed: 1 pair; " in exported.notes[0]
    write_manifest(root, [record.model_copy(update={"status": "review"}) for record in (first, second)])
    with pytest.raises(DataError, match="holds no pair"):
        PairCrops(root, SIDE, TRUTH)


@pytest.mark.parametrize("angle", [0.0, 20.0, 80.0])
@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.6, 0.8)])
def test_a_crop_is_valid_where_all_that_it_is_made_of_is(root, angle, scale):
    dataset = PairCrops(root, SIDE, TRUTH, angle=angle, scale=scale)
    examples = [dataset[k] for k in range(40)]
    assert all(example["valid"].shape == (1, SIDE, SIDE) for example in examples)
    assert all(set(example["valid"].unique().tolist()) <= {0.0, 1.0} for example in examples)
    assert any(0 < float(example["valid"].mean()) < 1 for example in examples)
    for example in examples:
        red = example["rainy"][0] - example["rainy"][1] > 0.5
        assert not bool((example["valid"][0].bool() & red).any())
    # Most of what is shown teaches.
    assert np.mean([float(example["valid"].mean()) for example in examples]) > 0.75


def test_datasets_without_masks_have_no_such_entry_and_frames_have_one_each(root):
    (_, whole) = read_dataset(root)
    layout = read_dataset(root)
    assert "valid" not in PairCrops(replace(layout, pairs=(whole,)), SIDE, TRUTH)[0]
    both = replace(layout, pairs=tuple(replace(pair, clean=whole.clean) for pair in layout))
    example = PairCrops(both, SIDE, replace(TRUTH, frames=2))[0]
    assert example["valid"].shape == (2, 1, SIDE, SIDE)


def test_a_mask_of_another_size_is_named(root):
    put(root / "valid/0.png", np.full((9, 9), 255, np.uint8))
    with pytest.raises(DataError, match=r"the mask '.*valid/0\.png' has 9 x 9 pixels"):
        PairCrops(root, SIDE, TRUTH)
    report = evaluate(find_methods(["input"]), read_dataset(root), ["rgb"])
    assert "the mask '" in report.failures[0].error


def test_the_truth_teaches_where_it_is_valid_alone(rng):
    B, clean_, rainy_ = (torch.from_numpy(rng.random((2, 3, 8, 8))).float() for _ in range(3))
    R, loss = rainy_ - B, TruthLoss()
    valid = torch.zeros(2, 1, 8, 8)
    valid[..., :4] = 1
    B.requires_grad_()
    value = loss(B, R, clean_, rainy_, valid)
    value.backward()
    assert float(B.grad[..., 4:].abs().max()) == 0
    assert float(B.grad[..., :4].abs().min()) > 0
    part = [picture[..., :4] for picture in (B, R, clean_, rainy_)]
    torch.testing.assert_close(value, loss(*part))
    everywhere = torch.ones_like(valid)
    torch.testing.assert_close(loss(B, R, clean_, rainy_, everywhere), loss(B, R, clean_, rainy_))
    # A picture without a valid pixel does not count, and neither does a batch of them.
    valid[1] = 0
    alone = [one[:1] for one in (B, R, clean_, rainy_, valid)]
    torch.testing.assert_close(loss(B, R, clean_, rainy_, valid), loss(*alone))
    assert float(loss(B, R, clean_, rainy_, 0 * valid).detach()) == 0


def test_only_valid_pixels_are_scored_and_that_is_told(root):
    report = evaluate(find_methods(["input"]), read_dataset(root), ["rgb"])
    (method,) = report.methods
    masked, whole = method.scores
    wet, dry, where = (read_image(root / f"{part}/0.png") for part in ("rainy", "clean", "valid"))
    assert masked.psnr["rgb"] == pytest.approx(psnr(wet, dry, where=where > 0))
    assert masked.ssim["rgb"] == pytest.approx(ssim(wet, dry, where=where > 0))
    assert masked.psnr["rgb"] > psnr(wet, dry) + 5
    assert masked.valid == pytest.approx(np.mean(where > 0))
    assert whole.valid is None
    assert "over valid pixels in 1 of 2 pictures" in tables(report)[0].title
    (said,) = json.loads(json.dumps(report.as_dict()))["methods"]
    assert said["masked"] == 1
    assert math.isclose(said["each"][0]["valid"], masked.valid)


def test_validation_looks_at_valid_pixels(root):
    validator = Validator.of_section(ValidationSection(data=(root,), protocol="rgb"))
    assert [mask is None for mask in validator.masks] == [False, True]
    bare = Validator(validator.pairs, "rgb")
    network = random_udgnet()
    assert validator(network)["psnr_rgb"] > bare(network)["psnr_rgb"]
    put(root / "valid/0.png", np.zeros(SIZE, np.uint8))
    with pytest.raises(ValueError, match=r"valid/0\.png' leaves nothing of "):
        Validator.of_section(ValidationSection(data=(root,)))
