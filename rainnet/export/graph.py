"""The pipeline around a network as an ONNX graph: angle, shear, network, shear back, in ONNX's own text format.

The exporter of torch cannot follow the shear, whose frame is as wide as the angle makes it, while ONNX can say it: a
width is a number like any other there. So torch exports the convolutions and this file says what is around them.
What it computes is `rainnet.models.udgnet.UDGNet.forward` and `rainnet.models.warp.BatchUpright`; each line of the text
has the name that its value has there.
"""

from __future__ import annotations

import math

from rainopt.geometry.warp import BORDER, TAPS

DOMAIN = "rainnet"  # of the functions, which are written into the graph in the end

# Rows and columns are exchanged where rain is flatter than 45 degrees. Only square batches can mix the two kinds.
TURN = """
Turn (x, turned) => (y)
{
    whole = Cast <to = 7> (turned)
    most = ReduceMax <keepdims = 0> (whole)
    least = ReduceMin <keepdims = 0> (whole)
    some = Cast <to = 9> (most)
    all = Cast <to = 9> (least)
    flipped = Transpose <perm = [0, 1, 3, 2]> (x)
    y = If (some) <
        then_branch = one () => (y_some) {
            y_some = If (all) <
                then_branch = two () => (y_all) { y_all = Identity (flipped) },
                else_branch = three () => (y_mixed) {
                    axes = Constant <value_ints = [1, 2, 3]> ()
                    each = Unsqueeze (turned, axes)
                    y_mixed = Where (each, flipped, x)
                }
            >
        },
        else_branch = four () => (y_none) { y_none = Identity (x) }
    >
}
"""

# (N,) degrees to (N,) columns a row; the branch that is not taken must not divide by zero.
SLOPE = f"""
Slope (angle, turned) => (slope)
{{
    degree = Constant <value_float = {math.pi / 180!r}> ()
    zero = Constant <value_float = 0.0> ()
    quarter = Constant <value_float = {math.pi / 2!r}> ()
    ninety = Constant <value_float = 90.0> ()
    radians = Mul (angle, degree)
    steep = Where (turned, zero, radians)
    flat = Where (turned, radians, quarter)
    cos = Cos (flat)
    sin = Sin (flat)
    cotangent = Div (cos, sin)
    tangent = Tan (steep)
    any = Where (turned, cotangent, tangent)
    horizontal = Equal (angle, ninety)
    slope = Where (horizontal, zero, any)
}}
"""

# `rainnet.models.warp.lanczos_weights`; (N, R) fractions of a pixel to (N, R, 6).
SINC = f"""
Sinc (x) => (y)
{{
    one = Constant <value_float = 1.0> ()
    zero = Constant <value_float = 0.0> ()
    pi = Constant <value_float = {math.pi!r}> ()
    at_zero = Equal (x, zero)
    safe = Where (at_zero, one, x)
    arc = Mul (safe, pi)
    sin = Sin (arc)
    ratio = Div (sin, arc)
    y = Where (at_zero, one, ratio)
}}
"""
WEIGHTS = f"""
Lanczos (fraction) => (weights)
{{
    last = Constant <value_ints = [-1]> ()
    taps = Constant <value_floats = [{", ".join(f"{k}.0" for k in range(1 - TAPS // 2, TAPS // 2 + 1))}]> ()
    half = Constant <value_float = {TAPS // 2}.0> ()
    column = Unsqueeze (fraction, last)
    distance = Sub (taps, column)
    scaled = Div (distance, half)
    wide = {DOMAIN}.Sinc (scaled)
    narrow = {DOMAIN}.Sinc (distance)
    product = Mul (wide, narrow)
    total = ReduceSum <keepdims = 1> (product, last)
    weights = Div (product, total)
}}
"""

# One of the six pixels of `rainnet.models.warp.shift_rows`, weighted; `edge` is 1 where the nearest pixel lies outside,
# or 0.
TAP = """
Tap (image, start, weights, tap, edge) => (term)
{
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    channel = Constant <value_ints = [1]> ()
    around = Constant <value_ints = [1, 3]> ()
    sides = Constant <value_ints = [1, 1]> ()
    columns_1 = Shape <start = 3, end = 4> (image)
    columns = Squeeze (columns_1)
    limit = Sub (columns, one)
    column = Add (start, tap)
    inside = Clip (column, zero, limit)
    index_1 = Unsqueeze (inside, channel)
    channels = Shape <start = 1, end = 2> (image)
    expanded = Concat <axis = 0> (channels, sides)
    index = Expand (index_1, expanded)
    value = GatherElements <axis = 3> (image, index)
    equal = Equal (column, inside)
    there = Cast <to = 1> (equal)
    kept = Max (there, edge)
    kept_1 = Unsqueeze (kept, channel)
    weight = Gather <axis = 2> (weights, tap)
    weight_1 = Unsqueeze (weight, around)
    factor = Mul (weight_1, kept_1)
    term = Mul (value, factor)
}
"""


def _shift_rows() -> str:
    """`rainnet.models.warp.shift_rows`: (N, C, R, W), (N, R) pixels and a width to (N, C, R, width)."""
    taps = "".join(
        f"""
    k{k} = Constant <value_int = {k}> ()
    term{k} = {DOMAIN}.Tap (image, start, weights, k{k}, edge)
    sum{k + 1} = Add (sum{k}, term{k})"""
        for k in range(TAPS)
    )
    return f"""
ShiftRows (image, offsets, width, edge) => (out)
{{
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    last = Constant <value_ints = [-1]> ()
    left = Constant <value_int = {TAPS // 2 - 1}> ()
    whole = Floor (offsets)
    fraction = Sub (offsets, whole)
    weights = {DOMAIN}.Lanczos (fraction)
    pixels = Cast <to = 7> (whole)
    first = Sub (pixels, left)
    first_1 = Unsqueeze (first, last)
    columns = Range (zero, width, one)
    start = Add (first_1, columns)
    sum0 = Constant <value_float = 0.0> (){taps}
    out = Identity (sum{TAPS})
}}
"""


# `rainnet.models.udgnet.padded` for one axis of the four, and `cropped` for both.
def _pad(name: str, axis: int) -> str:
    return f"""
{name} (image, multiple) => (out)
{{
    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    size_1 = Shape <start = {axis}, end = {axis + 1}> (image)
    size = Squeeze (size_1)
    negative = Neg (size)
    missing = Mod (negative, multiple)
    more = Add (size, missing)
    limit = Sub (size, one)
    all = Range (zero, more, one)
    index = Min (all, limit)
    out = Gather <axis = {axis}> (image, index)
}}
"""


CROP = """
Crop (layer, like) => (out)
{
    zeros = Constant <value_ints = [0, 0]> ()
    axes = Constant <value_ints = [2, 3]> ()
    sides = Shape <start = 2, end = 4> (like)
    out = Slice (layer, zeros, sides, axes)
}
"""

LAYERS = f"""
    multiple = Constant <value_int = {{multiple}}> ()
    taller = {DOMAIN}.PadRows (upright, multiple)
    padded = {DOMAIN}.PadColumns (taller, multiple)
    removed_padded, layer_padded = {DOMAIN}.Layers (padded)
    removed = {DOMAIN}.Crop (removed_padded, upright)
    layer = {DOMAIN}.Crop (layer_padded, upright)
"""

OUTPUTS = """
    low = Constant <value_float = 0.0> ()
    high = Constant <value_float = 1.0> ()
    dry = Sub (rainy, removed_back)
    background = Clip (dry, low, high)
    rain = Clip (layer_back, low, high)
"""

PICTURES = "float[N, {channels}, H, W]"


def as_it_is(channels: int, multiple: int, opset: int, version: int) -> str:
    """Return the graph around a network that takes pictures as they are."""
    pictures = PICTURES.format(channels=channels)
    return f"""
<ir_version: {version}, opset_import: ["" : {opset}, "{DOMAIN}" : 1]>
derain ({pictures} rainy) => ({pictures} background, {pictures} rain)
{{
    upright = Identity (rainy)
    {LAYERS.format(multiple=multiple)}
    removed_back = Identity (removed)
    layer_back = Identity (layer)
    {OUTPUTS}
}}
""" + _functions(opset, [_pad("PadRows", 2), _pad("PadColumns", 3), CROP])


def sheared(channels: int, multiple: int, opset: int, version: int) -> str:
    """Return the graph around a network for upright streaks; where the angle is NaN, it is found."""
    pictures = PICTURES.format(channels=channels)
    return f"""
<ir_version: {version}, opset_import: ["" : {opset}, "{DOMAIN}" : 1]>
derain ({pictures} rainy, float[N] angle)
    => ({pictures} background, {pictures} rain, float[N] used)
{{
    found = {DOMAIN}.FindAngle (rainy)
    unknown = IsNaN (angle)
    used = Where (unknown, found, angle)
    most = Constant <value_float = 45.0> ()
    size = Abs (used)
    turned = Greater (size, most)
    source = {DOMAIN}.Turn (rainy, turned)

    zero = Constant <value_int = 0> ()
    one = Constant <value_int = 1> ()
    last = Constant <value_ints = [-1]> ()
    none = Constant <value_float = 0.0> ()
    edge = Constant <value_float = 1.0> ()
    half = Constant <value_float = 0.5> ()
    rows_1 = Shape <start = 2, end = 3> (source)
    rows = Squeeze (rows_1)
    columns_1 = Shape <start = 3, end = 4> (source)
    columns = Squeeze (columns_1)
    slope = {DOMAIN}.Slope (used, turned)
    slope_1 = Unsqueeze (slope, last)
    numbers = Range (zero, rows, one)
    row = Cast <to = 1> (numbers)
    rows_less = Sub (rows, one)
    rows_float = Cast <to = 1> (rows_less)
    centre = Mul (rows_float, half)
    height = Sub (row, centre)
    shift = Mul (slope_1, height)

    largest = ReduceMax <keepdims = 0> (shift)
    smallest = ReduceMin <keepdims = 0> (shift)
    moves_right = Greater (largest, none)
    moves_left = Less (smallest, none)
    moves = Or (moves_right, moves_left)
    full = Constant <value_int = {BORDER}> ()
    border = Where (moves, full, zero)
    ceiling = Ceil (largest)
    ceiling_whole = Cast <to = 7> (ceiling)
    left = Add (ceiling_whole, border)
    floor = Floor (smallest)
    floor_whole = Cast <to = 7> (floor)
    right = Sub (border, floor_whole)
    both = Add (left, right)
    width = Add (columns, both)

    left_float = Cast <to = 1> (left)
    there = Sub (shift, left_float)
    upright = {DOMAIN}.ShiftRows (source, there, width, edge)
    {LAYERS.format(multiple=multiple)}
    back = Sub (left_float, shift)
    removed_sheared = {DOMAIN}.ShiftRows (removed, back, columns, none)
    layer_sheared = {DOMAIN}.ShiftRows (layer, back, columns, none)
    removed_back = {DOMAIN}.Turn (removed_sheared, turned)
    layer_back = {DOMAIN}.Turn (layer_sheared, turned)
    {OUTPUTS}
}}
""" + _functions(
        opset,
        [TURN, SLOPE, SINC, WEIGHTS, TAP, _shift_rows(), _pad("PadRows", 2), _pad("PadColumns", 3), CROP],
    )


def _functions(opset: int, bodies: list[str]) -> str:
    return "".join(f'<domain: "{DOMAIN}", opset_import: ["" : {opset}, "{DOMAIN}" : 1]>{body}' for body in bodies)
