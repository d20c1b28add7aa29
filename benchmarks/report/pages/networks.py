"""Networks: what they are worth beside the solver, what a wrong angle costs, how fast they are."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import decibels, duration, places, plain, times
from benchmarks.report.matrix import Sets, below_input, dots, matrix, sets_of, without
from benchmarks.report.names import of_set, words
from benchmarks.report.plots.dots import draw
from benchmarks.report.reading import Result, Results, at, items, number, pairs

QUESTION = "What are networks worth beside the solver, and what do they cost?"
PREFIX = "net_"
IRNN = "net_irnn"  # partly on the page of scaling


def page(found: Results) -> Page | None:
    """Return the page."""
    sections: list[Section | None] = []
    for name, parts in PARTS.items():
        result = found.get(name)
        if result is not None:
            sections += [part(result) for part in parts]
    for name, result in found.by_name.items():
        if name.startswith(PREFIX) and name not in PARTS:
            sections.append(_scores(result))
    text = (
        "PSNR in dB and SSIM on the luma of MATLAB (`y_matlab`) over pictures that no network of the table was "
        "trained on, unless the text says otherwise. `rainopt` is the solver, which learned nothing."
    )
    return page_of("networks", "Networks", QUESTION, text, sections)


def _quality(result: Result) -> Section:
    sets = sets_of(result.at("sets"))
    points = dots(sets)
    data = {"dots": points, "axis": "PSNR on luma, dB (higher is better)"}
    plot = Plot("networks", "PSNR of the solver and of the network that ships, by set", data, draw) if points else None
    return Section(
        "The network that ships, beside the solver",
        "The network takes the direction of the rain from itself or from `rainopt`, may see the picture mirrored in "
        "four ways, and may be polished by the solver.",
        matrix(sets),
        (result,),
        plot,
        limits=_beside_solver(sets),
    )


def _beside_solver(sets: Sets) -> str:
    """Return in which sets the network is better than the solver, and in which it is worse."""
    better: list[str] = []
    worse: list[str] = []
    for name, one in sets:
        solver, network = (number(dict(one).get(method), "psnr") for method in ("rainopt", "network, rainopt's angle"))
        if solver is not None and network is not None:
            (better if network > solver else worse).append(of_set(name))
    told = (("better", better), ("worse", worse))
    return " ".join(
        f"With the angle of `rainopt` it is {how} than the solver in: {', '.join(one)}." for how, one in told if one
    )


def _dry(result: Result) -> Section:
    sets = sets_of(result.at("sets"))
    return Section(
        "What a picture without rain loses",
        "PSNR in dB of the derained truth against the truth; 100 stands for a picture that is left alone, as "
        "`rainopt` leaves those in which it sees no rain. The network is told an angle here and derains them all.",
        matrix(sets, lambda one: decibels(number(one, "dry"))),
        (result,),
        limits="Where nobody tells an angle, `rainnet derain` leaves a picture alone in which `rainopt` sees no rain.",
    )


def _seconds(result: Result) -> Section:
    return Section(
        "Seconds a picture",
        "Means over the pictures of each set; those are small. Larger ones are on the page of [speed](speed.md).",
        matrix(without(sets_of(result.at("sets")), "input"), lambda one: duration(number(one, "seconds"))),
        (result,),
    )


def _angle(result: Result) -> Section:
    return Section(
        "What a wrong angle costs",
        "PSNR in dB of the network when it is told the true direction of the rain, a wrong one, or finds it.",
        matrix(sets_of(result.at("sets"), "psnr"), lambda value: decibels(number(value)), "direction"),
        (result,),
    )


def _single(result: Result) -> Section:
    sets = sets_of(result.at("pictures"))
    table = matrix([one for one in without(sets, "seconds") if one[1]], of=str)
    taken = [value for _, found in sets if (value := number(dict(found).get("seconds"))) is not None]
    most = f" Training took {duration(min(taken))} to {duration(max(taken))} a picture." if taken else ""
    return Section(
        "A network that was trained on the one photograph it derains",
        f"`rainnet train udgnet --single`: no data but the picture itself.{most}",
        table,
        (result,),
    )


def _losses(result: Result) -> Section:
    rows = []
    for case, one in pairs(result.values, "cases"):
        terms = [str(term) for term in items(one, "terms")] + (
            ["adversarial"] if at(one, "adversarial") is True else []
        )
        scored = (decibels(number(one, "psnr")), places(number(one, "ssim"), 3), decibels(number(one, "paper")))
        rows.append((f"{case}: {', '.join(terms)}", *scored))
    steps, base = plain(number(result.values, "steps")), decibels(number(result.values, "input"))
    return Section(
        "What each loss of UDGNet is worth",
        f"Seven small networks of the same seed, {steps} steps each, without truth; the rainy pictures have {base} "
        "dB. The last column is the paper's, of networks that were trained far longer and on other pictures: only "
        "the order of cases can be compared.",
        Table.of(("losses", "PSNR, dB", "SSIM", "paper's PSNR, dB"), rows),
        (result,),
    )


def _spanet(result: Result) -> Section:
    sets = [*sets_of(result.at("pairs"), "methods"), *sets_of(result.at("real"), "methods")]
    worse = below_input(sets)
    real = ", ".join(f"`{name}`" for name, _ in pairs(result.values, "real"))
    return Section(
        "SPANet with its authors' weights",
        f"Learnt by its authors from pairs of real rain. {real or 'The last sets'}: real rain of two cameras, single "
        "frames against the backgrounds that `raindata build` makes of the clips, over valid pixels.",
        matrix(sets),
        (result,),
        limits=f"Below the rainy picture itself: {'; '.join(worse)}. Where the rain of a frame is weak, a method "
        "that looks at single pictures takes more scene than rain; the page of [video](video.md) tells what time is "
        "worth there."
        if worse
        else "",
    )


def _spanet_speed(result: Result) -> Section:
    speed = result.at("speed")
    rows = [
        (
            "whole network, our recurrence",
            plain(number(speed, "ours_seconds")),
            plain(number(speed, "ours_cpu_seconds")),
        ),
        (
            "the same in bfloat16",
            plain(number(speed, "bfloat16_seconds")),
            plain(number(speed, "bfloat16_cpu_seconds")),
        ),
        ("by plain torch", plain(number(speed, "plain_seconds")), plain(number(speed, "plain_cpu_seconds"))),
        ("floor: its arithmetic at the rate of large products", plain(number(speed, "floor_seconds")), ""),
    ]
    return Section(
        "SPANet's speed",
        "A picture of 512 × 512 on two threads.",
        Table.of(("by", "seconds", "core-seconds"), rows),
        (result,),
    )


def _tiles(result: Result) -> Section:
    sets = sets_of(result.at("tiles"))
    return Section(
        "What tiles cost SPANet",
        "Its recurrence looks over the whole picture. PSNR in dB that is gained or lost in tiles of so many pixels.",
        matrix(sets, lambda one: places(number(one, "lost"), 2), "tile"),
        (result,),
    )


def _attention(result: Result) -> Section:
    seeds = [plain(number(seed)) for seed in items(result.values, "seeds")]
    cases = pairs(result.values, "cases")
    rows = [(name, *(decibels(number(one, k)) for k in range(len(seeds)))) for name, one in cases]
    rows = [(name, *cells, decibels(_mean(one))) for (name, *cells), (_, one) in zip(rows, cases, strict=True)]
    steps, pictures, base = (number(result.values, key) for key in ("steps", "pictures", "input"))
    return Section(
        "The parts of SPANet",
        f"PSNR in dB after {plain(steps)} steps, by seed, over {plain(pictures)} pictures of {decibels(base)} dB.",
        Table.of(("network", *(f"seed {seed}" for seed in seeds), "mean"), rows),
        (result,),
    )


def _mean(values: Any) -> float | None:
    known = [value for one in items(values) if (value := number(one)) is not None]
    return sum(known) / len(known) if known else None


def _speed(result: Result) -> Section:
    rows = []
    for name, one in pairs(result.values, "inference"):
        peak = number(one, "peak_bytes")
        rows.append(
            (
                name,
                plain(number(one, "parameters")),
                duration(number(one, "median_s")),
                "" if peak is None else plain(peak / 2**20),
            )
        )
    rate = number(result.values, "training", "images_per_second")
    trained = f"Training does {plain(rate)} pictures a second." if rate else ""
    return Section(
        "UDGNet's speed",
        f"A picture of 12 megapixels through the network, by preset. {trained}".strip(),
        Table.of(("preset", "parameters", "time", "most memory, MiB"), rows),
        (result,),
    )


def _recurrence(result: Result) -> Section:
    rows = []
    for name, one in pairs(result.values, "runs"):
        milliseconds = (_milli(number(one, key)) for key in ("wall_s", "reference_wall_s", "floor_s"))
        rows.append((name, *milliseconds, times(number(one, "faster")), times(number(one, "times_floor"))))
    header = ("pass", "kernel, ms", "plain torch, ms", "floor of memory, ms", "times faster", "times the floor")
    return Section(
        "The recurrence of SPANet",
        "Four sweeps over 32 channels of 512 × 512.",
        Table.of(header, rows),
        (result,),
    )


def _milli(seconds: float | None) -> str:
    return "" if seconds is None else plain(1e3 * seconds)


def _scores(result: Result) -> Section | None:
    """Return the scores of any other result that holds methods by sets."""
    sets = sets_of(result.at("sets"))
    sets = [(name, [(method, one) for method, one in found if number(one, "psnr") is not None]) for name, found in sets]
    table = matrix([(name, found) for name, found in sets if found])
    if not table.rows:
        return None
    title = words(result.name.removeprefix(PREFIX))
    return Section(title[:1].upper() + title[1:], "PSNR and SSIM of methods by sets.", table, (result,))


PARTS = {
    "net_quality": (_quality, _dry, _seconds),
    "net_angle": (_angle,),
    "net_single": (_single,),
    "net_ablation": (_losses,),
    "net_spanet": (_spanet, _spanet_speed, _tiles),
    "net_spanet_ablation": (_attention,),
    "net_speed": (_speed,),
    IRNN: (_recurrence,),
}
