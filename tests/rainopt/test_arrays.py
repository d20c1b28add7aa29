"""Arrays of any library, the table of kernels, and the names of devices."""

import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from rainopt import arrays, percentile_background, solve_udg
from rainopt.arrays import CPU, CUDA, KERNELS, DeviceError, kernel, resolve_device
from rainopt.direction.planes import work_planes
from rainopt.geometry.boxes import box_mean
from rainopt.geometry.warp import shift_rows
from rainopt.optim.fourier import dct2, idct2
from rainopt.still.adaptive import doubt
from rainopt.still.colour import colour_votes, remove_layer
from rainopt.still.gain import raised
from rainopt.video.percentiles import off_centre


def test_namespace_is_shared_by_arrays_of_one_library(xp):
    a, b = xp.zeros((2, 3)), xp.ones((2, 3))
    assert arrays.namespace(a, b).add(a, b).shape == a.shape


def test_namespace_refuses_mixtures_and_lists(other_xp):
    with pytest.raises(TypeError, match=r"`image` must be arrays of one library .* got ndarray, \w+"):
        arrays.namespace(np.zeros(2), other_xp.zeros(2), names="image")
    with pytest.raises(TypeError, match="got list"):
        arrays.namespace([1.0, 2.0])


def test_is_floating(xp):
    for kind, expected in (("float32", True), ("float64", True), ("uint8", False), ("int64", False), ("bool", False)):
        assert arrays.is_floating(xp.zeros((2, 2), dtype=getattr(xp, kind))) is expected
    assert not arrays.is_floating(xp.zeros((2, 2), dtype=xp.complex64))


def test_host_view_shares_memory(torch):
    a = np.zeros((2, 3))
    assert arrays.host_view(a) is a
    t = torch.zeros(2, 3)
    arrays.host_view(t)[0, 1] = 7
    assert t[0, 1] == 7
    assert arrays.host_view(t.T).shape == (3, 2)


def test_host_view_refuses_gradients_and_foreign_arrays(torch, strict):
    leaf = torch.zeros(2, 3, requires_grad=True)
    half = torch.zeros(2, 3, dtype=torch.bfloat16)
    for foreign in (leaf, leaf * 2, half, torch.zeros(2, 3, device="meta"), strict.zeros((2, 3))):
        assert arrays.host_view(foreign) is None
    assert arrays.host_view(leaf.detach()) is not None


def test_like_and_to_numpy_undo_each_other(xp):
    values = np.arange(6.0).reshape(2, 3)
    there = arrays.like(values, xp.zeros((1, 1)))
    assert isinstance(there, type(xp.zeros((1, 1))))
    np.testing.assert_array_equal(arrays.to_numpy(there), values)


def test_what_is_left_of_a_gradient_are_its_values(torch):
    tripled = torch.ones(2, 2, requires_grad=True) * 3
    np.testing.assert_array_equal(arrays.to_numpy(tripled), np.full((2, 2), 3, np.float32))
    assert not arrays.detached(tripled).requires_grad
    plain = tripled.detach()
    assert arrays.detached(plain) is plain


def test_bytes_come_in_the_order_of_the_machine(torch):
    values = np.arange(6, dtype=np.float32)
    swapped = values.astype(values.dtype.newbyteorder())
    assert arrays.native(swapped).dtype.isnative
    np.testing.assert_array_equal(arrays.native(swapped), values)
    for kept in (values, torch.as_tensor(values)):
        assert arrays.native(kept) is kept


def uses(rng, to=lambda array: array):
    """For every operation of the table, a public function that asks for its kernel."""
    field = rng.random((2, 30, 41), dtype=np.float32)
    frames = rng.integers(0, 200, (9, 12, 14, 3), dtype=np.uint8)
    planes = rng.random((3, 30, 41), dtype=np.float32)
    return {
        "block_mean": lambda: work_planes(to(rng.integers(0, 256, (1300, 1300, 3), dtype=np.uint8))),
        "box_mean": lambda: box_mean(to(field), 5, -1),
        "colour_votes": lambda: colour_votes(to(planes), to(field[0]), (10.0, 90.0)),
        "dct2": lambda: dct2(to(field)),
        "doubt": lambda: doubt(to(field[0]), to(field[1] / 10), 0.7),
        "idct2": lambda: idct2(to(field)),
        "irnn": lambda: swept(field),
        "irnn_backward": lambda: swept_back(field),
        "irnn_last": lambda: swept_last(field),
        "off_centre": lambda: off_centre(to(frames), to(np.float32(frames[0] / 255)), 0.1),
        "percentile": lambda: percentile_background(to(frames)).image,
        "percentile_vote": lambda: percentile_background(to(frames)).votes,
        "raise_layer": lambda: raised(to(planes[0]), to(planes[0] * field[0]), 1.5),
        "remove_layer": lambda: remove_layer(to(planes), to(field[0]), to(0.5 + planes[:, :4, :6]))[0],
        "shear": lambda: shift_rows(to(field), np.linspace(-3.3, 4.2, 30), 45),
        "udg": lambda: solve_udg(to(field), max_iter=30, tol=0).rain,
    }


def swept(field, through=lambda result, x: result):
    """The recurrence over two channels, and what is made of it."""
    torch = pytest.importorskip("torch")
    from rainnet.models.irnn import Recurrence

    x = torch.from_numpy(field - 0.5)[None].requires_grad_()
    return through(Recurrence(2)(x), x).detach().numpy()


def swept_back(field):
    """The gradient of its squares."""
    return swept(field, lambda result, x: sys.modules["torch"].autograd.grad((result * result).sum(), x)[0])


def swept_last(field):
    """The recurrence over two channels that lie last, from inside of SPANet."""
    torch = pytest.importorskip("torch")
    from rainnet.models.irnn import Recurrence
    from rainnet.models.spanet import _swept

    with torch.no_grad():
        x = torch.from_numpy(field - 0.5)[None].contiguous(memory_format=torch.channels_last)
        return _swept(Recurrence(2), x).numpy()


@pytest.fixture
def put(monkeypatch):
    """Put a function into the table."""

    def put(operation, function, device=CPU):
        module = f"kernel_{id(function)}"
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(it=function))
        monkeypatch.setitem(KERNELS, (operation, device), f"{module}:it")

    return put


def there(entry):
    module, name = entry.split(":")
    return getattr(import_module(module), name)


@pytest.mark.parametrize(("operation", "device"), KERNELS)
def test_every_entry_is_there_in_a_file_of_its_device(operation, device):
    entry = KERNELS[operation, device]
    assert device in (CPU, CUDA)
    assert entry.startswith("rainopt.kernels.")
    assert entry.partition(":")[0].endswith(f"_{device}")
    assert callable(there(entry))


@pytest.mark.parametrize("operation", sorted({operation for operation, device in KERNELS if device == CPU}))
def test_every_kernel_is_asked_for_and_agrees_with_the_operation_as_written(operation, put, request):
    real, asked = there(KERNELS[operation, CPU]), []

    def watched(*arguments, **options):
        asked.append(operation)
        return real(*arguments, **options)

    put(operation, watched)
    fast = uses(np.random.default_rng(3))[operation]()
    assert asked
    asked.clear()
    request.getfixturevalue("as_written")
    written = uses(np.random.default_rng(3))[operation]()
    assert not asked
    assert (fast.dtype, fast.shape) == (written.dtype, written.shape)
    np.testing.assert_allclose(fast, written, atol=2e-5)


@pytest.mark.parametrize(
    "operation",
    [
        "box_mean",
        "colour_votes",
        "dct2",
        "doubt",
        "idct2",
        "off_centre",
        "percentile",
        "raise_layer",
        "remove_layer",
        "shear",
        "udg",
    ],
)
def test_a_missing_kernel_is_the_operation_as_written_on_its_device(strict, operation):
    # Arrays of this device raise where numpy asks for their values, and do not mix with those of another.
    device = strict.Device("device1")
    result = uses(np.random.default_rng(3), lambda array: strict.asarray(array, device=device))[operation]()
    assert result.device == device
    expected = uses(np.random.default_rng(3))[operation]()
    np.testing.assert_allclose(np.asarray(result.to_device(strict.Device("CPU_DEVICE"))), expected, atol=2e-5)


def test_who_has_no_kernel(torch, strict, put):
    put("toy", lambda *_: 1)
    here, leaf = np.zeros(3), torch.zeros(3, requires_grad=True)
    assert kernel("toy", here)() == kernel("toy", here, None)() == 1
    assert kernel("other", here) is None
    for foreign in (leaf, strict.zeros(3), torch.zeros(3, device="meta"), torch.zeros(3, dtype=torch.bfloat16)):
        assert kernel("toy", foreign) is None
        assert kernel("toy", here, foreign) is None


def test_a_kernel_takes_host_arrays_and_gives_those_of_the_caller(torch, put):
    def toy(array, number, *, other):
        assert all(isinstance(part, np.ndarray) for part in (array, other))
        return array + number, (other, "no array"), None

    put("toy", toy)
    tensor = torch.arange(3)
    more, (other, text), none = kernel("toy", tensor)(tensor, 2, other=tensor)
    assert (more.tolist(), other.tolist(), text, none) == ([2, 3, 4], [0, 1, 2], "no array", None)
    assert all(isinstance(part, torch.Tensor) for part in (more, other))
    # Arrays of numpy go straight to the function.
    assert kernel("toy", np.zeros(3)) is toy


def test_a_kernel_of_another_device_takes_arrays_as_they_are(monkeypatch, put):
    class Elsewhere:
        """An array of cupy's, for all that can be told."""

    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(ndarray=Elsewhere))
    monkeypatch.setattr(arrays, "_compiles_for_cuda", lambda: there_is)
    array, there_is = Elsewhere(), True
    put("toy", lambda given: (given, 1), CPU)
    assert kernel("toy", array) is None
    put("toy", lambda given: (given, 2), CUDA)
    assert kernel("toy", array, None)(array) == (array, 2)
    assert kernel("toy", array, np.zeros(3)) is None
    assert kernel("toy", np.zeros(3))(array) == (array, 1)
    # Two devices of one kind are two.
    other = Elsewhere()
    other.device = "the second"
    assert kernel("toy", array, other) is None
    there_is = False
    assert kernel("toy", array) is None


def found(count):
    return lambda name: resolve_device(name, lambda: count, "cupy", "say: please")


def test_the_cpu_is_always_there_and_is_what_auto_falls_back_to():
    for count in (None, 0, 2):
        assert found(count)("cpu") == "cpu"
    assert found(None)("auto") == found(0)("auto") == "cpu"
    assert found(2)("auto") == "cuda:0"


def test_a_device_that_was_named_is_that_device_or_an_error():
    assert [found(2)(name) for name in ("cuda", "cuda:0", "cuda:1")] == ["cuda:0", "cuda:0", "cuda:1"]
    with pytest.raises(DeviceError, match=r"no device 'cuda:2': cupy finds 2 CUDA devices; use cpu or auto"):
        found(2)("cuda:2")
    with pytest.raises(DeviceError, match=r"no device 'cuda': cupy finds 0"):
        found(0)("cuda")
    with pytest.raises(DeviceError, match=r"no device 'cuda:1' for cupy: say: please"):
        found(None)("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:0:1", "cuda0", " cpu"])
def test_other_names_of_devices_are_errors_that_list_the_good_ones(name):
    with pytest.raises(DeviceError, match=f"auto, cpu or cuda:N, got '{name}'"):
        found(2)(name)
