"""Video: backgrounds, derained clips beside peers, what lives in a scene, flicker, pairs."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import decibels, percent, places, plain, times
from benchmarks.report.matrix import Sets, below_input, dots, matrix, scores, sets_of, without
from benchmarks.report.names import of_method
from benchmarks.report.plots.dots import draw
from benchmarks.report.reading import Result, Results, items, number, pairs, word

FILMED = 24  # frames a second, of the slowest cameras
QUESTION = "How fast and how right is derained video, and what becomes of what lives in it?"


def page(found: Results) -> Page | None:
    """Return the page."""
    sections: list[Section | None] = []
    own = found.get("video_speed") is not None
    for name, parts in PARTS.items():
        result = found.get(name)
        if result is not None:
            # Of frames a second the benchmark of its own is the newer one, where it is there.
            shown = [part for part in parts if part is not _speed or name == "video_speed" or not own]
            sections += [part(result) for part in shown]
    text = (
        "Videos are derained with the help of time: what stays where it is for longer than a streak can is scene. "
        "PSNR and SSIM are means over frames, on luma, against clips without rain over which rain was rendered."
    )
    return page_of("video", "Video", QUESTION, text, sections)


def _speed(result: Result) -> Section:
    rows = []
    clips = pairs(result.values, "derain_1080p") or pairs(result.values, "video", "derain_1080p")
    for camera, one in clips:
        speeds = (plain(number(one, key), 2) for key in ("frames_per_s", "frames_per_s_without_start"))
        rest = (plain(number(one, key)) for key in ("core_seconds_a_frame", "peak_mib"))
        rows.append((camera, *speeds, *rest))
    slow = max((number(one, "frames_per_s") or 0.0 for _, one in clips), default=FILMED) < FILMED
    header = ("camera", "frames a second", "without the start", "core-seconds a frame", "most memory, MiB")
    return Section(
        "Frames a second",
        "`rainopt derain` of clips of 1080p, from file to file, decoding and coding included.",
        Table.of(header, rows),
        (result,),
        limits="No camera films so slowly: on a machine of this size `--live` has to drop frames." if slow else "",
    )


def _background(speed: Result) -> Section:
    video = speed.at("video")
    memory, median = (video or {}).get("background_in_memory"), (video or {}).get("tmedian")
    rows = [
        ("`rainopt.percentile_background`, in memory", plain(number(memory, "median_s")), ""),
        ("floor of it: the bytes, twice, over the bandwidth", plain(number(memory, "floor_s")), ""),
        ("`np.percentile` of the same frames", *_beside(memory, "numpy_percentile_s", "median_s")),
        ("`rainopt`, of a file", plain(number(median, "ours_s")), ""),
        ("FFmpeg's `tmedian`, of the same file", *_beside(median, "tmedian_s", "ours_s")),
    ]
    frames, seconds, peak = (number(video, "background_4k", key) for key in ("frames", "seconds", "peak_mib"))
    limits = (
        f"A background of {plain(frames)} frames of 4K took {plain(seconds)} s and {plain(peak)} MiB." if frames else ""
    )
    return Section(
        "The background of a still camera, beside other ways to a percentile",
        "FFmpeg makes a picture for each window of frames, ours is one for the clip.",
        Table.of(("by", "seconds", "times ours"), rows),
        (speed,),
        limits=limits,
    )


def _beside(value: Any, theirs: str, ours: str) -> tuple[str, str]:
    one, other = number(value, theirs), number(value, ours)
    return plain(one), times(one / other) if one is not None and other else ""


def _backgrounds(quality: Result) -> Section:
    rows = []
    for one in items(quality.values, "background"):
        scored = (decibels(number(one, key)) for key in ("psnr", "psnr_median", "psnr_mean", "expected_psnr"))
        rows.append((word(one, "preset"), plain(number(one, "frames")), *scored))
    header = ("rain", "frames", "the percentile chosen", "median", "mean", "what it expects of itself")
    return Section(
        "How right a background is",
        "PSNR in dB of backgrounds of a still camera over static pixels: of the percentile that `rainopt background` "
        "chooses, of the plain median and mean over time, and what the program expects without knowing the truth.",
        Table.of(header, rows, names=2),
        (quality,),
    )


def _derained(quality: Result) -> Section:
    rows = []
    for one in items(quality.values, "derain"):
        scored = (decibels(number(one, f"psnr_{key}")) for key in ("input", "frames_alone", "with_background"))
        still = (
            places(number(one, f"deviation_{key}"), 2) for key in ("input", "frames_alone", "with_background", "clean")
        )
        rows.append((word(one, "preset"), *scored, *still))
    header = ("rain", "rainy, dB", "each frame alone, dB", "with the help of time, dB")
    still_header = ("deviation: rainy", "frames alone", "with time", "clean clip")
    return Section(
        "What time is worth",
        "A still camera under rendered rain: PSNR, and how much static pixels vary over time, in levels. A result "
        "should be about as still as the clean clip.",
        Table.of((*header, *still_header), rows),
        (quality,),
    )


def _rows(result: Result) -> Section:
    sets = sets_of(result.at("clips"))
    sets = without(sets, "frames")
    points = dots(sets)
    data = {"dots": points, "axis": "PSNR on luma, dB (higher is better)"}
    plot = Plot("video", "PSNR of derained clips by method", data, draw) if points else None
    worse = below_input(sets)
    limits = f"Below the rainy clip itself: {'; '.join(worse)}." if worse else ""
    by_clip = _turned(sets)
    return Section(
        "Derained clips beside peers",
        "PSNR and SSIM. `ntu_a1` and `pedestrian` are of published sets, the rest is rain of ours; cameras stand "
        "still, are held in a hand, pan or zoom. Peers: the median of frames, the same aligned by optical flow, and "
        "FastDeRain, written from its paper.",
        matrix(by_clip, scores, "clip"),
        (result,),
        plot,
        limits,
    )


def _turned(sets: Sets) -> Sets:
    methods = list(dict.fromkeys(method for _, found in sets for method, _ in found))
    return [(of_method(method), [(name, dict(found).get(method)) for name, found in sets]) for method in methods]


def _living(result: Result) -> Section:
    rows, kept = [], []
    for name, one in pairs(result.values, "scenes"):
        things = [found for _, found in pairs(one, "things")]
        means = [value for thing in things if (value := number(thing, "mean")) is not None]
        least = [value for thing in things if (value := number(thing, "least")) is not None]
        events = (
            percent(number(one, "events", method, kind))
            for kind in ("rain", "lost")
            for method in ("again", "input", "rainopt")
        )
        kept += [(value, name) for value in means]
        rows.append((name, percent(min(means, default=None)), percent(min(least, default=None)), *events))
    header = ("scene", "kept of its least thing, mean", "in its worst frame")
    events_header = [
        f"{kind}, {method}" for kind in ("false events", "lost") for method in ("chance", "rainy", "derained")
    ]
    return Section(
        "What lives in a scene",
        "Persons, cars, birds, lamps, clocks, lightning: how much of the contrast of a thing is left after "
        "deraining, and the events of a motion detector. *Chance* is the clean clip with other noise of the camera.",
        Table.of((*header, *events_header), rows),
        (result,),
        limits=f"Least is kept in `{min(kept)[1]}`." if kept else "",
    )


def _flicker(result: Result) -> Section:
    clips = sets_of(result.at("clips"))
    by_method = _turned(clips)
    return Section(
        "Flicker",
        "Standard deviation over time of static pixels of a still scene, in levels; a result should not be above the "
        "clean clip.",
        matrix(by_method, lambda one: places(number(one, "deviation"), 2), "clip"),
        (result,),
    )


def _trusted(judged: Result) -> Section:
    rows = []
    for one in [*items(judged.values, "moving"), *items(judged.values, "living")]:
        expected, true = number(one, "expected_psnr"), number(one, "true_psnr")
        counts = (plain(number(one, "pairs")), percent(number(one, "valid")))
        rows.append((word(one, "name"), *counts, decibels(expected), decibels(true)))
    return Section(
        "Pairs that are built of video",
        "What `raindata build` expects its pairs to be worth without knowing the truth, and what they are worth over "
        "the pixels that it calls valid.",
        Table.of(("clip", "pairs", "valid pixels", "expected, dB", "true, dB"), rows),
        (judged,),
    )


def _real(judged: Result) -> Section:
    methods = ("input", "rainopt", "rainnet", "rainnet_alone")
    sets = [(word(one, "name"), [(name, one.get(name)) for name in methods]) for one in _objects(judged, "real")]
    return Section(
        "Real rain",
        "PSNR in dB against the backgrounds that `raindata build` makes of real clips, over valid pixels.",
        matrix(_turned(sets), lambda value: decibels(number(value)), "clip"),
        (judged,),
    )


def _objects(result: Result, key: str) -> list[dict[str, Any]]:
    return [one for one in items(result.values, key) if isinstance(one, dict)]


PARTS = {
    "video_speed": (_speed,),
    "speed": (_speed, _background),
    "video_quality": (_derained, _backgrounds),
    "video_rows": (_rows,),
    "video_living": (_living,),
    "video_flicker": (_flicker,),
    "video_judged": (_trusted, _real),
}
