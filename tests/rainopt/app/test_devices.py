"""What cupy finds; the names of devices are tested with `rainopt.arrays`."""

import importlib.util
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.common import rainy_photograph
from data_tools import RainSpec, add_rain
from rainopt.app.devices import elsewhere, resolve_device, to_device
from rainopt.arrays import DeviceError
from rainopt.kernels import cuda
from rainopt.parallel.elsewhere import here
from rainopt.video.background import background_of_store
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import Ballot
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import derained, stretch_settings


class CUDARuntimeError(RuntimeError):
    pass


@pytest.fixture
def pretend(monkeypatch):
    """Pretend that cupy is installed or not, and what stands for it when it is imported; None cannot be."""
    find = importlib.util.find_spec

    def pretend(spec, module):
        monkeypatch.setitem(sys.modules, "cupy", module)
        monkeypatch.setattr(
            cuda.importlib.util, "find_spec", lambda name, *a: spec if name == "cupy" else find(name, *a)
        )

    return pretend


@pytest.mark.parametrize(
    ("spec", "said"),
    [(None, r"it is not installed: pip install 'rainopt\[gpu\]'"), (object(), "it cannot be imported")],
)
def test_without_cupy_auto_is_the_cpu_and_cuda_an_error_that_says_what_to_do(pretend, spec, said):
    pretend(spec, None)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match=f"no device 'cuda:3' for cupy: {said}"):
        resolve_device("cuda:3")


@pytest.mark.parametrize("count", [0, 2, None])
def test_devices_are_those_that_cupy_counts(pretend, count):
    def counted():
        if count is None:
            raise CUDARuntimeError("cudaErrorNoDevice")
        return count

    runtime = SimpleNamespace(getDeviceCount=counted, CUDARuntimeError=CUDARuntimeError)
    pretend(object(), SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    assert resolve_device("auto") == ("cuda:0" if count else "cpu")
    with pytest.raises(DeviceError, match=f"no device 'cuda:2': cupy finds {count or 0}"):
        resolve_device("cuda:2")


def test_on_the_cpu_the_array_itself_is_used():
    image = np.zeros((4, 4))
    assert to_device(image, "cpu") is image
    assert elsewhere("cpu")(lambda array: array, image) is image


class There(np.ndarray):
    """Stands for an array of cupy: made, filled and fetched by the calls that `Lanes` may make."""

    def set(self, values, stream):
        assert stream.current
        np.copyto(self, values)

    def get(self, stream, out):
        assert stream.current
        np.copyto(out, self)


class Stream:
    """One at a time is current in a thread."""

    made = 0

    def __init__(self, non_blocking):
        assert non_blocking
        Stream.made += 1
        self.current = False

    def __enter__(self):
        assert not self.current, "two frames in one stream"
        self.current = True

    def __exit__(self, *error):
        self.current = False

    def synchronize(self):
        assert self.current


@pytest.fixture
def lanes(pretend):
    """Two lanes of a device that is the host."""
    Stream.made = 0
    pretend(
        object(),
        SimpleNamespace(
            ndarray=There,
            empty=lambda shape, dtype: np.empty(shape, dtype).view(There),
            ascontiguousarray=lambda array: np.ascontiguousarray(array).view(There),
            cuda=SimpleNamespace(Device=lambda index: nullcontext(), Stream=Stream, alloc_pinned_memory=bytearray),
        ),
    )
    return cuda.Lanes(1)


def test_lanes_bring_arrays_there_and_results_back_and_leave_the_rest(lanes):
    image, field = np.arange(12.0).reshape(3, 4)[:, ::2], np.ones((2, 2), np.float32)

    def function(there, nothing, other):
        assert type(there) is type(other) is There
        assert nothing is None
        return Ballot(there.T * 2, other), 7

    (doubled, same), number = lanes(function, image, None, field)
    np.testing.assert_array_equal(doubled, image.T * 2)
    assert (type(same), same.dtype, number, Stream.made) == (np.ndarray, np.float32, 7, cuda.LANES)
    # What was brought back does not change when the memory that it came through is used again.
    lanes(lambda there: there + 1, image)
    np.testing.assert_array_equal(doubled, image.T * 2)


def test_a_lane_is_free_again_after_an_error(lanes):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            lanes(lambda there: 1 / 0, np.ones(2))
    assert lanes(lambda there: there.sum(), np.ones(2)) == 2


@pytest.mark.parametrize("background", [True, False])
def test_videos_by_lanes_are_those_of_the_host(lanes, background):
    scene = rainy_photograph(96, 112)[..., :3]
    rng = np.random.default_rng(0)
    frames = [add_rain(scene, RainSpec(angle=9.0), rng).rainy for _ in range(6)]
    with FrameStore() as store:
        for frame in frames:
            store.append(np.rint(frame * 255).astype(np.uint8))
        asked = VideoSettings(background=background, max_iter=20)
        one, other = (stretch_settings(store, asked, elsewhere=place) for place in (here, lanes))
        assert one.scene == other.scene
        for a, b in zip(derained(store, one), derained(store, other, lanes), strict=True):
            np.testing.assert_array_equal(a, b)
        assert not one.dry
        there, estimate = background_of_store(store, elsewhere=lanes), background_of_store(store)
        np.testing.assert_array_equal(there.image, estimate.image)
