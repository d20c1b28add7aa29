"""All benchmarks whose results are kept, each with its question: what `python -m benchmarks` runs and lists.

The tables of benchmarks/README.md are made of this one; `python -m benchmarks list --page` puts them there.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from benchmarks.benchmark import Benchmark

KEPT = "what was trained is kept"

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("speed", "speed", "how fast, and how far from what the hardware allows?", 13, quick_minutes=1.5),
    Benchmark(
        "quality",
        "quality",
        "how good is all that needs no training, in one result? (without `--data` on sample photographs)",
        35,
        optional_data=True,
        quick_minutes=1.5,
    ),
    Benchmark(
        "scaling",
        "scaling",
        "how does time grow with pixels, frames and threads?",
        5,
        quick_minutes=0.6,
    ),
    Benchmark(
        "peers",
        "peers",
        "how fast, and how right, is what others offer for the same work?",
        5,
        optional_data=True,
        quick_minutes=1,
    ),
    Benchmark("solver_peers", "solver.peers", "how does a general toolbox fare on the same energy?", 5),
    Benchmark(
        "solver_quality", "solver.quality", "how much rain goes, how much of a clean photograph is lost?", 4, True
    ),
    Benchmark("ablation", "solver.ablation", "what is each ingredient of the rain prior worth?", 3, True),
    Benchmark("angle", "angle.accuracy", "how right is the angle, and how much is its confidence worth?", 1, True),
    Benchmark(
        "video_quality",
        "video.quality",
        "how right is the background of rain video, its judgement, and what becomes of frames?",
        4,
        True,
    ),
    Benchmark(
        "video_rows",
        "video.rows",
        "how near to the truth is derained video, beside peers, from still and moving cameras?",
        12,
        True,
    ),
    Benchmark(
        "video_living",
        "video.living",
        "what becomes of persons, cars, birds, lights, clocks and lightning in rain video, and of a motion detector's "
        "events?",
        3,
    ),
    Benchmark(
        "video_flicker", "video.flicker", "is derained video of a still scene as still as the clean clip?", 2, True
    ),
    Benchmark(
        "video_judged",
        "video.judged",
        "how right is what built pairs are expected to be worth, is anything that lives valid in them, and what "
        "becomes of real rain?",
        6,
        True,
    ),
    Benchmark(
        "video_speed",
        "video.speed",
        "how many 1080p frames a second, from file to file, still and moving? (also a part of `speed`)",
        1,
        options=("--frames", "60"),
    ),
    Benchmark(
        "traces",
        "traces",
        "what is left of rain in real photographs, which have no truth? (`--model`, `--folder`: of other networks, of "
        "results in a folder)",
        3,
        True,
    ),
    Benchmark(
        "darker",
        "darker",
        "do solver and network do as well on the same pictures sixteen times darker?",
        2,
        True,
    ),
    Benchmark(
        "formats",
        "formats",
        "what becomes of depth, alpha, colours and metadata from each image format to each other?",
        0.2,
    ),
    Benchmark("synth", "rain.synth", "how fast is synthetic rain made, alone and as a dataset?", 1),
    Benchmark("presets", "rain.presets", "how like published rain is ours?", 1, True),
    Benchmark(
        "review",
        "review",
        "how long does a person wait who reviews 10 000 scenes, and how much memory does the server hold?",
        2,
        options=("--browser",),
    ),
    Benchmark(
        "studio",
        "studio",
        "how long does a person wait on the page of `rainopt studio`, and what memory does it hold? (`--events N`: do "
        "random events break it)",
        3,
        options=("--browser",),
    ),
    Benchmark(
        "studio_methods",
        "studio_methods",
        "how long does a person wait there for the first look of a network?",
        3,
    ),
    Benchmark(
        "starts", "starts", "how long do commands take to begin, here and, with `--against`, in another tree?", 2
    ),
    Benchmark(
        "tasks",
        "tasks",
        "what is deraining worth to a detector of people and to one of text, in real and in rendered rain?",
        5,
        optional_data=True,
        quick_minutes=0.5,
        elsewhere=True,
        note="needs `--detectors PYTHON`, see [Tasks](#tasks)",
    ),
    Benchmark("net_quality", "networks.quality", "does the shipped network derain better than `rainopt`?", 2, True),
    Benchmark("net_angle", "networks.angle", "what does a wrong angle cost the network?", 5, True),
    Benchmark(
        "dry",
        "networks.dry",
        "what is taken from pictures without rain by what is told an angle?",
        5,
        True,
        options=("--model", "refine"),
    ),
    Benchmark(
        "even_light",
        "networks.even_light",
        "how much of the error on pairs is no streak?",
        2,
        True,
        options=("--model", "refine"),
    ),
    Benchmark("net_ablation", "networks.ablation", "what is each loss of UDGNet worth, without truth?", 15, True),
    Benchmark(
        "net_single",
        "networks.single",
        "how well does a network derain the one photograph it was trained on?",
        10,
        True,
    ),
    Benchmark("net_speed", "networks.speed", "how fast are networks on a CPU, run and trained?", 3),
    Benchmark("net_irnn", "networks.irnn", "how fast is the recurrence of SPANet on a CPU?", 1),
    Benchmark(
        "net_spanet",
        "networks.spanet",
        "is a converted SPANet its authors', how fast, what do tiles cost, and what is it worth on rain it has not "
        "seen, real rain too?",
        10,
        True,
    ),
    Benchmark(
        "net_spanet_ablation",
        "networks.spanet_ablation",
        "what are the parts of SPANet worth in a short run?",
        15,
        True,
    ),
    Benchmark(
        "net_baselines",
        "networks.baselines",
        "how large and how fast are PReNet, DDN and JORDER-E on a CPU, and what do half precision, tiles and ONNX "
        "change?",
        15,
        True,
    ),
    Benchmark(
        "net_timelapse_ablation",
        "networks.timelapse_ablation",
        "what are the losses of TimeLapseNet, its fusion and more frames of a scene worth in a short run?",
        120,
        True,
        note="`--part` does less",
    ),
    Benchmark(
        "net_baselines_trained",
        "networks.baselines_trained",
        "what do they learn on one core in the time of a small UDGNet?",
        90,
        True,
        runs=("runs",),
        note=KEPT,
    ),
    Benchmark(
        "net_rain",
        "networks.rain_statistics",
        "is rain that a network makes like the rain that it learned from, as it is asked for, and without seams?",
        1,
        True,
        runs=("model",),
        note="before it a training of 20",
    ),
    Benchmark(
        "net_augmentation",
        "networks.augmentation",
        "does made rain improve a derainer that has few pairs?",
        45,
        True,
        runs=("model", "runs"),
        note=KEPT,
    ),
    Benchmark(
        "net_timelapse",
        "networks.timelapse",
        "how large and how fast is TimeLapseNet by its width, what do tiles and ONNX change, and what is a trained "
        "one worth?",
        10,
        True,
        runs=("model",),
        note="before it a training of 90",
    ),
    Benchmark(
        "net_timelapse_real",
        "networks.timelapse_real",
        "does it learn real rain from a still camera, without truth?",
        25,
        True,
        runs=("model", "runs"),
        note=KEPT,
    ),
    Benchmark(
        "net_translation",
        "networks.translation",
        "what is translating rain worth where rain is unlike that of the pairs? (`--share 0.5`: half of the steps; "
        "`--ablation`: Table 2 of JRGR)",
        40,
        True,
        runs=("runs",),
        note=KEPT,
    ),
    Benchmark(
        "net_translation_photos",
        "networks.translation_photos",
        "is translating our rain into that of real photographs worth anything on others of them?",
        20,
        True,
        runs=("runs",),
        note=KEPT,
    ),
    Benchmark(
        "fuzz",
        "robustness.fuzz",
        "do mutated files and odd values crash, hang, or leave anything half done? `make fuzz`",
        5,
        attack=True,
        note="`--minutes`",
    ),
    Benchmark(
        "bombs",
        "robustness.bombs",
        "are small files that ask for gigabytes or hours refused, or done, within 1.5 GiB and 30 s?",
        3,
        attack=True,
    ),
    Benchmark("twice", "robustness.twice", "do two runs at once into one place leave it whole?", 30, attack=True),
    Benchmark("kills", "robustness.kills", "is anything lost when commands are killed and run again?", 15, attack=True),
)


def find(names: Iterable[str]) -> list[Benchmark]:
    """Return benchmarks by name, in the order of `BENCHMARKS`.

    Raises
    ------
    LookupError
        If a name is none; it says which are near.
    """
    wanted, known = dict.fromkeys(names), [one.name for one in BENCHMARKS]
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, cutoff=0.5) or [one for one in known if name and name in one]
            told = f"near are {', '.join(near)}" if near else "none is near"
            raise LookupError(f"'{name}' is no benchmark; {told}; `python -m benchmarks list` tells all")
    return [one for one in BENCHMARKS if one.name in wanted]
