"""Pages of results in today's and yesterday's formats, and of results that are not as they should be."""

import copy
import json
import re

import pytest

from benchmarks.report.blocks import Table
from benchmarks.report.figures import decibels, duration, gain, percent, plain, score, times
from benchmarks.report.gathered import with_parts
from benchmarks.report.pages.every import pages_of
from benchmarks.report.plots.style import svg
from benchmarks.report.reading import Result, Results, name_of, read
from benchmarks.report.readme import table
from benchmarks.report.writing import plots_of
from tests.support.processes import ROOT

TIMES = {"median_s": 0.5, "min_s": 0.4, "max_s": 0.6, "repeats": 5}
PEERS = {
    "benchmark": "peers",
    "tasks": [
        {
            "task": "2-D total variation",
            "work": "a square",
            "ours": {"name": "rainopt", "threads": 1, **TIMES, "result": {"psnr": 30.5}},
            "peers": [
                {"name": "faster", "version": "1.2", **TIMES, "median_s": 0.25, "times_ours": 0.5, "missing": None},
                {"name": "slower", "version": "3", **TIMES, "median_s": 5.0, "result": {"psnr": 30.5}},
                {"name": "naive", "plain": True, **TIMES, "median_s": 50.0, "result": {"psnr": 25.25}},
                {"name": "absent", "version": None, "result": None, "missing": "pip install it"},
            ],
        }
    ],
}
SCALING = {
    "benchmark": "scaling",
    "curves": [
        {
            "what": "solve_udg",
            "against": against,
            "points": [{"x": x, "median_s": 0.01 * x} for x in (1, 2, 4)],
            "exponent": 1.02,
            "exponent_error": 0.03,
        }
        for against in ("pixels", "frames", "threads")
    ],
}
TASKS = {
    "benchmark": "tasks",
    "tasks": [
        {
            "task": "people, HOG",
            "pictures": 12,
            "rows": [
                {"input": name, "precision": precision, "recall": recall, "f1": f1, "found": 7}
                for name, precision, recall, f1 in (
                    ("clean", 0.9, 0.8, 0.85),
                    ("rainy", 0.7, 0.3, 0.42),
                    ("rainopt", 0.8, 0.5, 0.62),
                    ("blurred", 0.5, 0.2, 0.29),
                )
            ],
        }
    ],
}
NEW = {"peers": PEERS, "scaling": SCALING, "tasks": TASKS}
ROWS = {
    "benchmark": "video_rows",
    "clips": {
        "pan": {
            "frames": 100,
            "input": {"psnr": 25.0, "ssim": 0.8, "seconds": 0.0},
            "rainopt": {"psnr": 46.1, "ssim": 0.99, "seconds": 30.0},
            "median of 9": {"psnr": 20.0, "ssim": 0.7, "seconds": 1.0},
        }
    },
}
ODD = (None, [], {}, "word", -1, 0, True, [None], {"a": None}, float("inf"), 10**400)


def results(**values):
    return Results({name: Result(name, f"{name}.json", one) for name, one in values.items()})


def pages(**values):
    return {page.name: page for page in pages_of(results(**values))}


def text(name, **values):
    return pages(**values)[name].markdown().replace("\N{NO-BREAK SPACE}", " ")


def test_peers_are_told_with_who_is_faster_and_who_was_not_run():
    page = text("peers", **NEW)
    assert "| rainopt | rainopt | 500 | ms | 400 to 600 | 1 |" in page
    assert "0.50×" in page
    assert "| 10.0× |" in page  # where only the times are told
    assert "| naive | plain re-implementation |" in page
    assert "Not run: absent: pip install it." in page
    row = table(results(**NEW)).replace("\N{NO-BREAK SPACE}", " ")
    assert "| 2-D total variation | 2.0× slower | the quickest package of 2: faster 1.2 |" in row


def test_scaling_and_tasks_are_told():
    page = text("scaling", **NEW)
    assert "| solve udg | threads | 1.02 ± 0.03 | 10.0 ms at 1 | 40.0 ms at 4 | 3 |" in page
    page = text("tasks", **NEW)
    assert "| shown | precision | recall | F1 | found |" in page
    assert "| rainopt | 0.80 | 0.50 | 0.62 | 7 |" in page
    assert "Not better than the rainy pictures by F1: blurred." in page


def test_what_is_worse_than_the_input_is_said():
    assert "Below the rainy clip itself: pan: median of 9." in text("video", video_rows=ROWS)


def test_yesterdays_files_are_known_by_what_they_hold():
    assert name_of("peers", {"benchmark": "peers", "pyproximal": {}}) == "solver_peers"
    assert name_of("peers", PEERS) == "peers"
    assert name_of("quality", {"benchmark": "quality", "sets": {}}) == "solver_quality"
    assert name_of("formats", {"formats": {}}) == "formats"


def test_what_the_benchmark_of_quality_gathers_stands_for_what_has_no_result_of_its_own():
    whole = {
        "benchmark": "quality",
        "pictures": "DIR",
        "video": ROWS["clips"],
        "traces": {"means": {"own": {"left": 0.5}}},
    }
    whole |= {"measured": {"date": "2031-02-03", "commit": "abc1234", "quick": False, "command": "one command"}}
    own = {"means": {"own": {"left": 0.25}}}
    found = with_parts(results(quality=whole, traces=own))
    assert found.at("traces", "means") == own["means"]
    assert found.at("video_rows", "clips") == ROWS["clips"]
    told = {page.name: page.markdown() for page in pages_of(found)}
    assert set(told) == {"video", "traces"}
    assert "*Again:* `one command` · *measured:* 2031-02-03, tree abc1234" in told["video"]
    for odd in ({"pictures": "sample photographs"}, {"measured": {"quick": True}}):
        assert with_parts(results(quality=whole | odd)).get("video_rows") is None
        assert "others" in pages(quality=whole | odd)


def test_plots_are_the_same_bytes_whatever_the_users_settings(tmp_path):
    import matplotlib

    plots = plots_of(pages(**NEW, video_rows=ROWS).values())
    assert set(plots) == {"peers.svg", "scaling.svg", "tasks.svg", "video.svg"}
    drawn = {name: svg(plot.draw, plot.data, "of a test") for name, plot in plots.items()}
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red"}):
        peers = plots["peers.svg"]
        assert svg(peers.draw, peers.data, "of a test") == drawn["peers.svg"]
    for one in drawn.values():
        assert b"of a test" in one
        assert b"<dc:date>" not in one
        assert b"<text" not in one  # letters are paths: they look the same everywhere


@pytest.mark.parametrize("name", sorted({*NEW, *(file.stem for file in (ROOT / "benchmarks/results").glob("*.json"))}))
def test_results_that_are_not_as_they_should_be_break_no_page(name):
    """Wherever something else lies in a file, its figures are left out."""
    values = copy.deepcopy(NEW.get(name)) or json.loads((ROOT / "benchmarks/results" / f"{name}.json").read_text())
    found = results(**{name_of(name, values): values})
    for k, path in enumerate(paths(values, 4)):
        *above, last = path
        inner = values
        for step in above:
            inner = inner[step]
        kept, inner[last] = inner[last], ODD[k % len(ODD)]
        assert all(page.markdown() for page in pages_of(found))
        table(found)
        inner[last] = kept


def paths(value, depth):
    """Return where anything lies in JSON, of lists the first place alone, and of objects the first few."""
    if not depth or not isinstance(value, (dict, list)):
        return []
    places = list(value)[:6] if isinstance(value, dict) else [0][: len(value)]
    return [
        path for place in places for path in ((place,), *((place, *rest) for rest in paths(value[place], depth - 1)))
    ]


def test_every_result_of_the_repository_is_on_a_page():
    found = read(ROOT / "benchmarks" / "results")
    told = {file for page in pages_of(with_parts(found)) for file in page.sources} | {"quality.json"}
    assert told >= {result.file for result in (*found.by_name.values(), *found.gpu)}


def sevens(value):
    """Return JSON in which every number is 7, without those in bytes, which are told in MiB, and without versions."""
    if isinstance(value, dict):
        return {key: sevens(inner) for key, inner in value.items() if not key.endswith(("bytes", "version"))}
    if isinstance(value, list):
        return [sevens(inner) for inner in value]
    return 7.0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def test_no_figure_is_typed_by_hand():
    """Where all that was measured is 7, figures are sevens, their ratios and differences, and powers of ten."""
    found = read(ROOT / "benchmarks" / "results").by_name
    made = results(**{name: sevens(one.values) for name, one in (found | results(**NEW).by_name).items()})
    # The page of scaling tells how many points were fitted.
    shown = [page for page in pages_of(made) if page.name != "scaling"]
    lines = [line for page in shown for line in page.markdown().splitlines()]
    rows = [line.strip("| ").split(" | ")[1:] for line in lines if line.startswith("| ")]
    figures = re.compile(r"[+−]?[\d.,]+(\s?[%×]|\s(s|ms|µs))?(\s(/|to)\s[+−]?[\d.,]+)?(\s±\s[\d.]+)?")
    cells = [cell.strip() for row in rows for cell in row if figures.fullmatch(cell.strip())]
    assert len(cells) > 500
    assert not [cell for cell in cells if set(cell) & set("2345689")]
    told = [line.split(" | ")[1] for line in table(made).splitlines() if line.startswith("| ") and "| ---" not in line]
    assert len(told) > 8
    assert not [cell for cell in told if set(cell) & set("2345689")]


def test_figures_have_as_many_digits_as_mean_something():
    assert [plain(value) for value in (0.0123456, 1.23456, 123.456, 12345.6, 3.0, 0, None)] == [
        "0.0123",
        "1.23",
        "123",
        "12,346",
        "3",
        "0",
        "",
    ]
    assert (plain(-2.5), gain(-0.26), gain(0.0), decibels(-0.001)) == ("−2.50", "−0.3", "+0.0", "0.00")
    assert [one.replace("\N{NO-BREAK SPACE}", " ") for one in (duration(0.0021), percent(0.5), score(30.0, None))] == [
        "2.10 ms",
        "50 %",
        "30.00",
    ]
    assert (times(1.25), times(187.2)) == ("1.2×", "187×")


def test_a_table_has_no_empty_rows_and_columns_and_no_cell_that_ends_it():
    one = Table.of(("a", "b", "c"), [("x|y", "", "1"), ("z", "", "")])
    assert one.markdown() == ["| a | c |", "| --- | ---: |", "| x\\|y | 1 |"]
