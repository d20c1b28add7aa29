"""Records of a manifest: what they may hold, and what is said of what they may not."""

import json

import pytest

from data_tools.manifest.file import ManifestError, PairRecord, read_manifest
from data_tools.manifest.paths import resolve_path

HEADER = b'{"format": "rainopt-manifest", "version": 1}\n'
ESCAPES = {
    "/etc/rain.png": "is absolute",
    "C:/rain.png": "is absolute",
    "c:rain.png": "is absolute",
    "../rain.png": "leaves the dataset's folder",
    "a/../../rain.png": "leaves the dataset's folder",
    "a/..": "leaves the dataset's folder",
    "a\\rain.png": "has a backslash",
    "\\\\host\\rain.png": "has a backslash",
    "": "is no plain relative path",
    "a//rain.png": "is no plain relative path",
    "./rain.png": "is no plain relative path",
    "rain.png\0": "is no plain relative path",
}


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_that_leaves_the_folder_is_refused_wherever_it_stands(tmp_path, path):
    good = {"id": "1", "rainy": "1.png"}
    places = {name: good | {name: path} for name in ("rainy", "clean", "rain", "mask")}
    places |= {"checksums": good | {"checksums": {path: "0" * 64}}, "frames": good | {"frames": [{"rainy": path}]}}
    for name, values in places.items():
        with pytest.raises(ManifestError, match=f"`{name}`.*{ESCAPES[path]}") as error:
            PairRecord.parse(values)
        assert repr(path) in str(error.value)
    with pytest.raises(ManifestError, match="`frames`, number 1: `clean`"):
        PairRecord.parse(good | {"frames": [{"rainy": "1.png"}, {"rainy": "2.png", "clean": path}]})
    with pytest.raises(ManifestError, match=ESCAPES[path]):
        resolve_path(tmp_path, path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": None}, "`id` must be text that is not empty, got None"),
        ({"id": ""}, "`id` must be text that is not empty, got ''"),
        ({"rainy": None}, "`rainy` is missing"),
        ({"rainy": 7}, "`rainy` must be a path, got 7"),
        ({"split": "dev"}, "`split` must be 'train', 'val', 'test' or null, got 'dev'"),
        ({"split": ["test"]}, "`split` must be"),
        ({"scene": 5}, "`scene` must be text or null, got 5"),
        ({"angle": -90}, "`angle` must be degrees in (-90, 90] or null, got -90"),
        ({"angle": 90.5}, "`angle` must be degrees"),
        ({"angle": True}, "`angle` must be degrees"),
        ({"angle": "5"}, "`angle` must be degrees"),
        ({"licence": None}, "`licence` must be text"),
        ({"spec": []}, "`spec` must be an object"),
        ({"checksums": {"1.png": "ABC"}}, "`checksums` of '1.png' must be 64 hexadecimal digits, got 'ABC'"),
        ({"frames": "1.png"}, "`frames` must be a list of frames"),
        ({"frames": [{"rainy": "1.png"}, {"clean": "1.png"}]}, "`frames`, number 1: `rainy` is missing"),
        ({"frames": ["1.png"]}, "`frames`, number 0: an object is expected, got '1.png'"),
    ],
)
def test_errors_name_line_and_field(tmp_path, fields, message):
    good = json.dumps({"id": "0", "rainy": "0.png"})
    bad = json.dumps({"id": "1", "rainy": "1.png"} | fields)
    (tmp_path / "manifest.jsonl").write_bytes(HEADER + f"{good}\n\n{bad}\n".encode())
    with pytest.raises(ManifestError) as error:
        read_manifest(tmp_path)
    assert "manifest.jsonl', line 4: " in str(error.value)
    assert message in str(error.value)


def test_whole_numbers_and_unknown_fields_stay_what_they_are():
    values = {"id": "1", "rainy": "1.png", "angle": 5, "paths": [1], "": None, "frames": [{"rainy": "2.png", "x": 1}]}
    again = PairRecord.parse(values).model_dump()
    assert json.dumps({name: again[name] for name in values if name != "frames"}) == json.dumps(
        {name: value for name, value in values.items() if name != "frames"}
    )
    assert again["frames"] == [{"rainy": "2.png", "clean": None, "x": 1}]


def test_paths_of_a_record_are_named_once():
    frames = [{"rainy": "1.png"}, {"rainy": "2.png", "clean": "c.png"}]
    record = PairRecord(id="1", rainy="1.png", clean="c.png", frames=frames, checksums={"m": "0" * 64})
    assert record.paths == ("1.png", "c.png", "2.png", "m")
