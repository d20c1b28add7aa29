"""What is made of scores: means, tables, the sheet of the worst, and saved results."""

import math

import numpy as np
import pytest

import rainopt
from data_tools.layouts.read import Layout, Pair, read_dataset
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import Function, find_methods
from rainnet.evaluate.report import MethodReport, Report, Score
from rainnet.evaluate.save import Saver
from rainnet.evaluate.sheet import Worst
from rainnet.evaluate.table import tables
from rainopt import read_image, write_image
from tests.support.datasets import put
from tests.support.pairs import clean, rain100, rainy


def method(name, *values):
    return MethodReport(name, tuple(Score(str(k), {"rgb": v}, {"rgb": 0.5}) for k, v in enumerate(values)))


def table_of(*methods):
    (table,) = tables(Report("", "folders", None, ("rgb",), 3, methods))
    return table


def test_equal_results_are_counted_beside_the_mean_of_the_others():
    mixed = method("mixed", 30.0, math.inf, 40.0)
    assert (mixed.psnr("rgb"), mixed.equal("rgb")) == (35.0, 1)
    assert str(next(iter(table_of(mixed).columns[2].cells))) == "35.00 (+1 equal)"


def test_the_best_of_a_column_is_bold_unless_it_is_of_fewer_pictures():
    table = table_of(method("all", 30.0, 20.0), method("worse", 20.0, 20.0), method("easy one", 30.0))
    assert [cell.style for cell in table.columns[2].cells] == ["bold", "", ""]


def test_every_protocol_has_its_own_table_and_niqe_where_there_is_some(tmp_path):
    scores = (Score("1", {"rgb": 30.0, "y_full": 31.0}, {"rgb": 0.5, "y_full": 0.5}),)
    made = tables(Report("", "folders", None, ("rgb", "y_full"), 1, (MethodReport("m", scores),)))
    assert [str(table.title).split()[4] for table in made] == ["rgb", "y_full"]
    (alone,) = tables(Report("", "unpaired", None, ("rgb",), 1, (MethodReport("m", (Score("1", niqe=4.0),)),)))
    assert "NIQE" in str(alone.title)


def test_seconds_leave_the_first_picture_out():
    def seconds(*each):
        return MethodReport("m", tuple(Score(str(k), seconds=s) for k, s in enumerate(each))).seconds

    assert seconds(9.0, 1.0, 3.0, 2.0) == 2.0
    assert seconds(9.0) is None
    assert seconds(None, None) is None


def test_the_worst_pictures_go_by_psnr_and_without_truth_by_niqe(tmp_path):
    scores = {k: rainopt.psnr(rainy(k), clean(k), "y_matlab") for k in (1, 2, 10)}
    worst = Worst(2, "input", "y_matlab")
    evaluate(find_methods(["input"]), read_dataset(rain100(tmp_path / "pairs")), watch=worst)
    order = sorted(scores, key=scores.get)[:2]
    assert [row.captions[0] for row in worst.rows()] == [f"rain/rain-{k:03}  input {scores[k]:.2f} dB" for k in order]
    result, truth, difference = worst.rows()[0].images
    np.testing.assert_array_equal(result, rainy(order[0]))
    np.testing.assert_array_equal(truth, clean(order[0]))
    expected = np.minimum(4 * np.abs(result / 255 - truth / 255), 1)
    np.testing.assert_allclose(difference, expected, atol=1e-6)
    niqe = {}
    for k in (1, 2, 3):
        put(tmp_path / "alone" / f"{k}.png", rainy(k, (200, 240)))
        niqe[str(k)] = rainopt.niqe(rainy(k, (200, 240)))
    put(tmp_path / "alone" / "small.png", rainy(4))
    worst = Worst(5, "input", "y_matlab")
    evaluate(find_methods(["input"]), read_dataset(tmp_path / "alone"), watch=worst)
    assert [row.captions for row in worst.rows()] == [[k] for k in sorted(niqe, key=niqe.get, reverse=True)]


def test_saved_names_stay_in_the_folder_and_floats_keep_16_bits(tmp_path):
    image = np.full((12, 12), 0.1234, np.float32)
    (tmp_path / "data").mkdir()
    write_image(tmp_path / "data" / "1.tif", image, bits=32)
    pair = Pair(tmp_path / "data" / "1.tif", None, "s", None, "../../1")
    saver = Saver(tmp_path / "out", ["runs/a/model.safetensors"])
    layout = Layout("unpaired", tmp_path / "data", (pair,))
    evaluate([Function("runs/a/model.safetensors", lambda image: image)], layout, watch=saver)
    assert list(saver.places([pair])) == [tmp_path / "out" / "runs_a_model" / "1.png"]
    assert read_image(tmp_path / "out" / "runs_a_model" / "1.png")[0, 0] == round(0.1234 * 65535)
    evaluate([Function("runs/a/model.safetensors", lambda image: image)], layout, watch=saver)
    assert "exists already" in saver.failures[0]
    with pytest.raises(ValueError, match="share a folder"):
        Saver(tmp_path, ["a/b", "a_b"])
