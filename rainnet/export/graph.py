"""The pipeline around a network as an ONNX graph: angle, shear, network, shear back, in ONNX's own text format.

The exporter of torch cannot follow a frame that is as wide as the angle makes it, while ONNX can say it: a width is a
number like any other there. So torch exports the convolutions and the shear (`rainopt.geometry.warp.shift_rows`), and
this file says how wide the frame is and what is around them. What it computes is `rainnet.models.base.Network.forward`
with `rainnet.models.warp.BatchUpright`; each line of the text has the name that its value has there.
"""

from __future__ import annotations

import math

from rainopt.geometry.warp import BORDER

DOMAIN = "rainnet"  # of the functions, which are written into the graph in the end
MIXED = "y_mixed"  # what fails where steep and flat rain are in a batch that is not square

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


# `rainnet.models.base.padded` for one axis of the four, and `cropped` for both.
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
    frame = Range (zero, width, one)
    upright = {DOMAIN}.ShearEdge (source, there, frame)
    {LAYERS.format(multiple=multiple)}
    back = Sub (left_float, shift)
    picture = Range (zero, columns, one)
    removed_sheared = {DOMAIN}.ShearZero (removed, back, picture)
    layer_sheared = {DOMAIN}.ShearZero (layer, back, picture)
    removed_back = {DOMAIN}.Turn (removed_sheared, turned)
    layer_back = {DOMAIN}.Turn (layer_sheared, turned)
    {OUTPUTS}
}}
""" + _functions(
        opset,
        [TURN, SLOPE, _pad("PadRows", 2), _pad("PadColumns", 3), CROP],
    )


def _functions(opset: int, bodies: list[str]) -> str:
    return "".join(f'<domain: "{DOMAIN}", opset_import: ["" : {opset}, "{DOMAIN}" : 1]>{body}' for body in bodies)
