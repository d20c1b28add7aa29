"""Whatever is given to a public function: a result, or a sentence that names the argument."""

import re

import numpy as np
import pytest

import rainopt
from rainopt.checks import MOST_ITERATIONS
from rainopt.optim.objectives import MOST_WEIGHT
from rainopt.still.settings import MOST_STRENGTH

SENTENCE = re.compile(
    r"^`[\w.]+`( of floats| of an iterable| and `\w+`)? (must|scales|has) .*got|^`[\w.]+` must ", re.DOTALL
)
SIDE = 12
GOOD = np.random.default_rng(3).random((SIDE, SIDE), np.float32)

FUNCTIONS = {
    "derain": rainopt.derain,
    "estimate_angle": rainopt.estimate_angle,
    "niqe": rainopt.niqe,
    "percentile_background": rainopt.percentile_background,
    "psnr": lambda image: rainopt.psnr(GOOD, image),
    "solve_udg": rainopt.solve_udg,
    "ssim": lambda image: rainopt.ssim(image, GOOD),
    "udg_energy B": lambda image: rainopt.udg_energy(GOOD, image, GOOD, rainopt.UDGWeights()),
    "udg_energy O": lambda image: rainopt.udg_energy(image, image, image, rainopt.UDGWeights()),
}
PIXEL = np.dtype([("red", "u1"), ("green", "u1")])
ODD = {
    "None": None,
    "a number": 0.5,
    "a numpy scalar": np.float32(0.5),
    "a list": GOOD.tolist(),
    "a memoryview": memoryview(GOOD),
    "no axes": np.array(0.5),
    "one axis": GOOD[0],
    "nothing": GOOD[:0],
    "no columns": GOOD[None, :, :0],
    "objects": GOOD.astype(object),
    "records": np.zeros((SIDE, SIDE), PIXEL),
    "complex": GOOD + 1j,
    "bool": GOOD > 0.5,
    "int64": (255 * GOOD).astype(np.int64),
    "dates": np.zeros((SIDE, SIDE), "M8[s]"),
    "strings": np.full((SIDE, SIDE), "1"),
    "masked": np.ma.masked_less((255 * GOOD).astype(np.uint8), 20),
    "masked floats": np.ma.masked_less(GOOD, 0.2),
    "a matrix": GOOD.view(np.matrix),
    "NaN": np.where(GOOD > 0.5, np.float32(np.nan), GOOD),
    "infinite": np.where(GOOD > 0.5, np.float32(np.inf), GOOD),
}
# What a torch user may have in hand; made when torch is there.
ODD_TENSORS = {
    "meta": lambda torch: torch.zeros(SIDE, SIDE, device="meta"),
    "sparse": lambda torch: torch.eye(SIDE).to_sparse(),
    "8-bit floats": lambda torch: torch.zeros(SIDE, SIDE).to(torch.float8_e4m3fn),
    "complex": lambda torch: torch.zeros(SIDE, SIDE, dtype=torch.complex64),
}


def complaint(function, *arguments, **options):
    with pytest.raises((TypeError, ValueError)) as caught:
        function(*arguments, **options)
    return str(caught.value)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_is_no_image_is_refused_in_a_sentence(name, value):
    assert SENTENCE.match(complaint(FUNCTIONS[name], value))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["derain", "estimate_angle", "niqe", "solve_udg", "udg_energy O"])
@pytest.mark.parametrize("make", ODD_TENSORS.values(), ids=ODD_TENSORS)
def test_tensors_that_hold_no_numbers_are_refused_in_a_sentence(torch, name, make):
    assert SENTENCE.match(complaint(FUNCTIONS[name], make(torch)))


def test_a_tensor_that_asks_for_gradients_is_looked_at_without_them(torch):
    tensor = torch.tensor(GOOD, requires_grad=True)
    for name in ("psnr", "ssim"):
        assert FUNCTIONS[name](tensor) == FUNCTIONS[name](GOOD)
    assert rainopt.estimate_angle(tensor) == rainopt.estimate_angle(GOOD)
    background = rainopt.derain(tensor, angle=3.0).background
    np.testing.assert_allclose(background.numpy(), rainopt.derain(GOOD, angle=3.0).background, atol=1e-6)


UNCOUNTABLE = (0, -1, 1.5, np.nan, np.inf, 1e308, MOST_ITERATIONS + 1, True, "5", np.array([3, 4]), [3])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("value", UNCOUNTABLE, ids=repr)
@pytest.mark.parametrize("function", [rainopt.derain, rainopt.solve_udg], ids=["derain", "solve_udg"])
def test_iterations_are_a_number_that_comes_to_an_end(function, value):
    assert complaint(function, GOOD, max_iter=value).startswith("`max_iter` must be ")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("angle", (np.nan, np.inf, 1e308, -90, "12", True, 1j, np.array([[1.0]]))),
        ("channel_axis", (3, -4, None, "last", 1.5, True)),
        ("strength", (-1, np.nan, np.inf, 1e308, 2 * MOST_STRENGTH, "1", True)),
        ("tile", (-1, 0.5, np.nan, "x", True)),
        ("tol", (-1, np.nan, np.inf, "x")),
        ("weights", (1, "x", {"tau": 1}, (0.1, 0.1, 0.1))),
    ],
)
def test_settings_of_deraining_are_refused_by_name(option, values):
    image = np.repeat(GOOD[..., None], 3, axis=-1)
    for value in values:
        assert re.match(rf"`{option}` (must|scales)", complaint(rainopt.derain, image, **{option: value}))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("function", "arguments", "options", "name"),
    [
        (rainopt.solve_udg, [GOOD], {"weights": 1}, "weights"),
        (rainopt.solve_udg, [GOOD], {"prior": None}, "prior"),
        (rainopt.solve_udg, [GOOD], {"start": 3}, "start"),
        (rainopt.solve_udg, [GOOD], {"method": None}, "method"),
        (rainopt.solve_udg, [GOOD], {"workspace": 3}, "workspace"),
        (rainopt.udg_energy, [GOOD, GOOD, GOOD, None], {}, "weights"),
        (rainopt.udg_energy, [GOOD, GOOD, GOOD, rainopt.UDGWeights(), (1, 2)], {}, "prior"),
        (rainopt.UDGWeights, [2 * MOST_WEIGHT], {}, "tau"),
        (rainopt.UDGWeights, [1j], {}, "tau"),
        (rainopt.psnr, [GOOD, GOOD], {"protocol": ["rgb"]}, "protocol"),
        (rainopt.niqe, [np.tile(GOOD, (20, 20))], {"model": 3}, "model"),
        (rainopt.percentile_background, [GOOD[None, ..., None]], {"channel_axis": "x"}, "channel_axis"),
        (rainopt.percentile_background, [3], {}, "frames"),
    ],
)
def test_other_arguments_are_refused_by_name(function, arguments, options, name):
    assert complaint(function, *arguments, **options).startswith(f"`{name}` must ")


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float32, np.float64])
def test_numbers_of_numpy_are_numbers(kind):
    d = rainopt.derain(GOOD, angle=kind(12), max_iter=kind(3), strength=kind(2), tile=kind(0))
    same = rainopt.derain(GOOD, angle=12, max_iter=3, strength=2, tile=0)
    np.testing.assert_array_equal(d.background, same.background)


@pytest.mark.parametrize("strength", [1e-300, 1e-12, MOST_STRENGTH])
def test_the_ends_of_the_strength_give_pictures(strength):
    background = rainopt.derain(np.tile(GOOD, (4, 4)), angle=0.0, strength=strength).background
    assert np.isfinite(background).all()
    assert background.min() >= 0
    assert background.max() <= 1
