"""Public functions called with odd values: one or two arguments are odd, the others as they should be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.robustness.attacks.promises import in_unit_range, photo_promise, solution_promise, unit_or_infinite
from benchmarks.robustness.attacks.values import described, odd_pictures, odd_scalars, pictures
from benchmarks.robustness.case import Case
from benchmarks.robustness.corpus import network

COLOUR = ((24, 32, 3),)
GREY = ((24, 32),)
SAVING = (ValueError, TypeError, OSError)
BYTES = 1 << 12  # that an example is drawn from


@dataclass(frozen=True)
class Function:
    """A public function: what makes good arguments, which of them are pictures, and what the result has to be."""

    name: str
    call: Callable[..., Any]
    good: dict[str, st.SearchStrategy[Any]]
    picture: tuple[str, ...] = ()
    promise: Callable[[Any], str | None] | None = None
    refusals: tuple[type[BaseException], ...] = (ValueError, TypeError)


def just(*values: Any) -> st.SearchStrategy[Any]:
    """Return one of some values."""
    return st.sampled_from(values)


@functools.cache
def functions() -> tuple[Function, ...]:
    """Return the public functions."""
    return (*_of_stills(), *_of_frames(), *_of_rain(), *_of_networks())


def _of_stills() -> list[Function]:
    import rainopt

    numbers = {"max_iter": just(None, 3), "tol": just(None, 0.02)}
    derain = {"image": pictures(), "angle": just(None, 0.0, 20.0), "strength": just(1.0, 2), "veil": just(False, True)}
    derain |= {"channel_axis": just(-1), "tile": just(None, 16), "weights": just(None), **numbers}
    udg = {"O": _batches(), "weights": just(None, rainopt.UDGWeights()), "method": just("auto", "reference", "admm")}
    energy = {name: _batches() for name in "OBR"} | {"weights": just(rainopt.UDGWeights())}
    weights = {name: just(0.01) for name in ("tau", "lambda_x", "lambda_y", "sparsity")} | {"bounded": just(True)}
    pair = {"a": pictures(COLOUR), "b": pictures(COLOUR), "protocol": just("rgb", "y_matlab", "y_full")}
    image = {"image": pictures(), "channel_axis": just(-1)}
    written = {"array": pictures(), "bits": just(None, 8), "quality": just(95)}
    written |= {"name": just("a.png", "a.tif", "a.webp", "a.jpg", "a.bmp")}
    return [
        Function("rainopt.derain", rainopt.derain, derain, ("image",), photo_promise),
        Function("rainopt.estimate_angle", rainopt.estimate_angle, image, ("image",)),
        Function("rainopt.solve_udg", rainopt.solve_udg, udg | numbers, ("O",), solution_promise),
        Function("rainopt.udg_energy", rainopt.udg_energy, energy, ("O", "B", "R")),
        Function("rainopt.UDGWeights", rainopt.UDGWeights, weights),
        Function("rainopt.psnr", rainopt.psnr, pair, ("a", "b"), unit_or_infinite),
        Function("rainopt.ssim", rainopt.ssim, pair, ("a", "b")),
        Function("rainopt.niqe", rainopt.niqe, {"image": pictures(((97, 200, 3),))}, ("image",)),
        Function("rainopt.write_image", _written, written, ("array",)),
        Function(
            "rainopt.read_image", rainopt.read_image, {"path": just("nothing.png")}, refusals=(OSError, TypeError)
        ),
    ]


def _written(name: Any, array: Any, bits: Any, quality: Any) -> Any:
    import rainopt

    place = Path("out") / name if isinstance(name, str) and name and "\0" not in name else name
    return rainopt.write_image(place, array, bits=bits, quality=quality)


def _batches() -> st.SearchStrategy[Any]:
    return st.sampled_from(("float32", "float64")).map(lambda dtype: np.full((8, 9), 0.5, dtype))


def _of_frames() -> list[Function]:
    import rainopt
    from rainopt.io.video.common import VideoError

    frames = st.sampled_from(("uint8", "uint16", "float32")).map(_frames)
    background = {"frames": frames, "channel_axis": just(-1), "memory": just(1 << 20)}
    read = {"path": just("nothing.mp4"), "start": just(0), "count": just(None, 1)}
    refusals = (ValueError, TypeError, VideoError, OSError)
    return [
        Function(
            "rainopt.percentile_background",
            rainopt.percentile_background,
            background,
            ("frames",),
            lambda found: in_unit_range(found.image),
            refusals,
        ),
        Function("rainopt.read_frames", rainopt.read_frames, read, refusals=refusals),
    ]


def _frames(dtype: str) -> np.ndarray:
    top = 1 if dtype == "float32" else np.iinfo(dtype).max
    return (np.random.default_rng(0).random((4, 8, 9, 3)) * top).astype(dtype)


def _of_rain() -> list[Function]:
    import data_tools
    from data_tools import RainSpec

    spec, rng = just(RainSpec(veil=0.1), RainSpec(composition="additive")), st.builds(lambda: np.random.default_rng(0))
    fields = {"angle": just(3.0), "length": just(9.0), "width": just(1.5), "density": just(900.0), "layers": just(2)}
    fields |= {"intensity": just(0.5), "veil": just(0.0), "directions": just((data_tools.RainDirection(),))}
    fields |= {"taper": just(0.5), "variation": just(0.5), "composition": just("screen"), "texture": just(0.0)}
    depth = just(None, np.full((24, 32), 1.0), np.full((24, 32), np.inf))
    over = {"image": pictures(COLOUR), "spec": spec, "rng": rng, "depth": depth}
    video = {"frames": pictures(COLOUR), "spec": spec, "rng": rng, "fps": just(25.0), "exposure": just(None, 0.01)}
    video |= {"start": just(0, 7), "count": just(2), "depth": depth}
    composed = {"clean": pictures(COLOUR), "rain": pictures(GREY), "composition": just("screen", "additive")}
    drawn = {"shape": just((24, 32)), "spec": spec, "rng": rng}
    ground = {"shape": just((24, 32)), "horizon": just(0.5), "foreground": just(0.5)}
    sampled = {"preset": just("light", "multi"), "rng": rng}
    streak = {name: just(5.0) for name in ("row", "column", "length", "sigma", "fade")}
    streak |= {"angle": just(0.0), "peak": just(0.5), "texture": just(0.0), "shape": just((24, 32)), "depth": depth}
    layer = {name: just(1.0) for name in ("share", "length", "width", "intensity", "blur", "distance")}
    from_dict = {"values": st.fixed_dictionaries({"angle": odd_scalars(), "layers": odd_scalars()})}
    return [
        Function("add_rain", data_tools.add_rain, over, ("image", "depth"), lambda found: in_unit_range(found.rainy)),
        Function("RainSpec", _rain_of, fields, (), in_unit_range),
        Function("rain_video", _two_of_video, video, ("frames", "depth")),
        Function("compose", data_tools.compose, composed, ("clean", "rain"), in_unit_range),
        Function("draw_streaks", data_tools.draw_streaks, drawn),
        Function("ground_depth", data_tools.ground_depth, ground),
        Function("RainSpec.sample", RainSpec.sample, sampled),
        Function("render_streaks", _one_streak, streak, ("depth",), in_unit_range),
        Function("RainLayer", data_tools.RainLayer, layer),
        Function("RainDirection", data_tools.RainDirection, {"turn": just(0.0), "share": just(1.0)}),
        Function("RainSpec.from_dict", RainSpec.from_dict, from_dict),
    ]


def _rain_of(**fields: Any) -> Any:
    """Return a picture in rain of some fields: a spec that is accepted has to be drawn as well."""
    from data_tools import RainSpec, add_rain

    return add_rain(np.full((24, 32, 3), 0.4), RainSpec(**fields), np.random.default_rng(0)).rainy


def _one_streak(shape: Any, depth: Any, **fields: Any) -> Any:
    from data_tools import Streaks, render_streaks

    arrays: Any = {name: [value] for name, value in fields.items()}
    return render_streaks(Streaks(**arrays), shape, depth=depth)


def _two_of_video(**arguments: Any) -> Any:
    from data_tools import rain_video

    frames = rain_video(**arguments)
    return [frame.rainy for frame, _ in zip(frames, range(2), strict=False)]


def _of_networks() -> list[Function]:
    import rainnet

    pictured = {"net": just(None), "image": pictures(), "angle": just(None, 5.0, "solver", "network")}
    pictured |= {"tile": just(None, 0, 32), "batch": just(1), "polish": just(0, 2), "ensemble": just(1, 2)}
    pictured |= {"bounded": just(True, False), "device": just("cpu", "auto"), "channel_axis": just(-1)}
    made = {
        "name": just("udgnet"),
        "preset": just("small"),
        "features": just(4),
        "blocks": just(1),
        "along": just((1,)),
    }
    made |= {"channels": just(3), "stride": just(1, 2), "angle_stages": just(2), "rain_from_input": just(True)}
    return [
        Function("rainnet.derain", _derain, pictured, ("image",), lambda found: in_unit_range(found.background)),
        Function("rainnet.create", rainnet.create, made),
        Function("rainnet.load", rainnet.load, {"source": just("nothing"), "device": just("cpu")}),
        Function(
            "rainnet.save", _saved, {"path": just("net.safetensors"), "facts": just(None, {"a": 1})}, refusals=SAVING
        ),
        Function(
            "rainnet.convert_official", rainnet.convert_official, {"name": just("udgnet"), "path": just("nothing.pth")}
        ),
        Function("Network.forward", _forward, {"rainy": just(None), "angle": just(None)}, ("rainy",)),
    ]


@functools.cache
def _net() -> Any:
    import tempfile

    import rainnet

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "net.safetensors")
        place.write_bytes(network())
        return rainnet.load(place)


def _saved(path: Any, facts: Any) -> Any:
    import rainnet

    return rainnet.save(_net(), Path("out", path) if isinstance(path, str) and path else path, facts=facts)


def _derain(net: Any, **arguments: Any) -> Any:
    import rainnet

    return rainnet.derain(_net() if net is None else net, **arguments)


def _forward(rainy: Any, angle: Any) -> Any:
    import torch

    return _net()(torch.full((1, 3, 16, 16), 0.5) if rainy is None else rainy, angle)


@st.composite
def arguments_of(draw: st.DrawFn, function: Function) -> dict[str, Any]:
    """Return the arguments of a call, of which one or two are odd; seldom none."""
    given = {name: draw(strategy) for name, strategy in function.good.items()}
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 2)))):
        name = draw(st.sampled_from(sorted(given)))
        given[name] = draw(odd_pictures() if name in function.picture else odd_scalars())
    return given


@functools.cache
def _drawer(number: int) -> tuple[Any, list[dict[str, Any]]]:
    """Return what draws the arguments of a function from bytes, and where it puts them."""
    found: list[dict[str, Any]] = []

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(arguments_of(functions()[number]))
    def draw(arguments: dict[str, Any]) -> None:
        found.append(arguments)

    return draw.hypothesis.fuzz_one_input, found  # type: ignore[attr-defined]


def function_called(random: Random) -> Case:
    """Return a call of a public function."""
    number = random.randrange(len(functions()))
    function = functions()[number]
    draw, found = _drawer(number)
    found.clear()
    while not found:
        draw(random.randbytes(BYTES))
    arguments = found.pop()
    words = ", ".join(f"{name}={described(value)}" for name, value in arguments.items())
    return Case(
        f"{function.name}({words})",
        lambda folder: function.call(**arguments),
        function.refusals,
        promise=function.promise,
    )
