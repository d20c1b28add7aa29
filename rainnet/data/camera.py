"""What a camera makes of a scene in the rain, beside the streaks: their light, their blur, lamps, noise and files.

Presets of rain are grey streaks in focus over a clean picture. In photographs rain takes the colour of what lights it,
near drops are wide and out of focus, streaks are beaded or even, nights have lamps, and scenes have railings and
lettering that look like rain. The file is blurred or sharpened, noisy and compressed, rain and scene alike: a network
that has seen only rain whose edges are other than the scene's leaves rain that is as sharp as the scene.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from io import BytesIO

import numpy as np

from data_tools.rain.parts import RainLayer, checked_number
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import add_rain
from rainnet.data.crops import Range, between, checked_range

# Red, green and blue of light: sodium and tungsten lamps, yellow, green and blue signs, and the light of dusk.
LAMPS = ((1.0, 0.62, 0.25), (1.0, 0.8, 0.5), (1.0, 0.95, 0.4), (0.5, 1.0, 0.7), (0.45, 0.65, 1.0), (0.8, 0.7, 1.0))
NEARLY_WHITE = 0.06  # standard deviation of the channels of daylight around grey
BRIGHTEST = 0.95  # of bars, which are scenery and not lamps
NEAR = (20.0, 200.0)  # streaks a megapixel that are near: what is near fills little space, however dense the rain
EVEN = 0.3  # most of what may fade of even streaks
SOFT, RADII = (0.4, 1.0), (0.6, 1.6)  # pixels, standard deviations of what blurs, and of what is sharpened by
AMOUNTS = (0.3, 1.5)  # of what is finer than those, that sharpening adds
LETTERING, ALONG = 0.3, 0.4  # shares of what is drawn as bars, and of railings
LEAN = 4.0  # degrees, standard deviation of a railing's bars around their direction


@dataclass(frozen=True)
class Camera:
    """How often each of these is drawn, as shares of the examples, and how strong it may be.

    Attributes
    ----------
    tinted
        Rain that a coloured lamp lights. All other rain is nearly white.
    near
        A few wide streaks out of focus beside the others.
    downpour
        Rain that is up to twice as dense as its preset has it, and as bright as can be.
    shallow
        Rain of its nearest one or two layers alone, without the distant streaks that melt into an even light.
    beaded
        Streaks that brighten and dim along their length, more than presets have it.
    even
        Streaks that are nearly as bright at their ends as in their middle.
    other_composition
        Rain that lies over the picture by the composition that is not its preset's.
    gamma, gammas
        Pictures whose brightness is bent, and the lowest and highest exponent.
    lamps
        Pictures with bright lamps that clip.
    bars
        Scenes with a railing or lettering, along the rain or nearly so.
    soft
        Pictures that are a little out of focus, or were enlarged, the clean one alike.
    sharpened
        Pictures whose edges were made steeper, so that streaks have a dark rim, the clean one alike.
    noise, noises
        Pictures with the noise of a sensor, and its lowest and highest standard deviation at white. It is the same in
        the clean picture: a network is not asked to remove it.
    jpeg, qualities
        Pictures that were compressed, and the lowest and highest quality. The clean picture is compressed alike.

    Raises
    ------
    ValueError, TypeError
        For shares outside [0, 1] and ranges that are none.
    """

    tinted: float = 0.0
    near: float = 0.0
    downpour: float = 0.0
    shallow: float = 0.0
    beaded: float = 0.0
    even: float = 0.0
    other_composition: float = 0.0
    gamma: float = 0.0
    gammas: Range = (0.7, 1.8)
    lamps: float = 0.0
    bars: float = 0.0
    soft: float = 0.0
    sharpened: float = 0.0
    noise: float = 0.0
    noises: Range = (0.003, 0.03)
    jpeg: float = 0.0
    qualities: Range = (50.0, 98.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.type == "float":
                checked_number(field.name, getattr(self, field.name), 0, 1)
        for name, most in (("gammas", 4), ("noises", 1), ("qualities", 100)):
            checked_range(name, getattr(self, name), most)

    def rain(self, spec: RainSpec, rng: np.random.Generator) -> RainSpec:
        """Return the rain as this camera sees it."""
        shares = (self.near, self.downpour, self.beaded, self.other_composition)
        near, poured, beaded, other = rng.random(4) < shares
        share, length, width, blur, intensity, texture, density, bright, shallow, layers = rng.random(10)
        if shallow < self.shallow:
            spec = replace(spec, layers=spec.depth_layers[: 1 + round(float(layers))])
        if poured:
            light = spec.intensity + (1 - spec.intensity) * float(bright)
            spec = replace(spec, density=spec.density * (1 + float(density)), intensity=light)
        if near:
            few = NEAR[0] * (NEAR[1] / NEAR[0]) ** float(share) / max(spec.density, NEAR[1])
            layer = RainLayer(
                share=sum(each.share for each in spec.depth_layers) * few,
                length=1 + 2 * length,
                width=1.5 + 2 * width,
                blur=0.5 + 2.5 * blur,
                intensity=0.4 + 0.6 * intensity,
                distance=0.3,
            )
            spec = replace(spec, layers=(layer, *spec.depth_layers))
        if beaded:
            spec = replace(spec, texture=0.5 + 0.5 * float(texture))
        if rng.random() < self.even:
            spec = replace(spec, taper=EVEN * float(rng.random()), texture=EVEN * float(rng.random()))
        if other:
            spec = replace(spec, composition="screen" if spec.composition == "additive" else "additive")
        return spec

    def scene(self, clean: np.ndarray, angle: float, rng: np.random.Generator) -> np.ndarray:
        """Return a scene (H, W, 3) uint8 with what is drawn of gamma, bars and lamps, float32 in [0, 1]."""
        bent, barred, lit = rng.random(3) < (self.gamma, self.bars, self.lamps)
        exponent = between(self.gammas, rng)
        scene = clean.astype(np.float32) / np.float32(255)
        if bent:
            scene = scene ** np.float32(exponent)
        if barred:
            scene = _with_bars(scene, angle, rng)
        return _with_lamps(scene, rng) if lit else scene

    def tint(self, rng: np.random.Generator) -> np.ndarray:
        """Return the light of the rain, (3,) float32; its luminance is about 1."""
        tinted, strength = rng.random() < self.tinted, rng.random()
        white = 1 + NEARLY_WHITE * rng.standard_normal(3)
        lamp = np.asarray(LAMPS[int(rng.integers(len(LAMPS)))])
        colour = white * (1 + (lamp - 1) * strength) if tinted else white
        colour = np.clip(colour, 0.1, None)
        return np.asarray(colour / (colour @ (0.299, 0.587, 0.114)), np.float32)

    def over(self, scene: np.ndarray, spec: RainSpec, tint: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Put rain of a light over a scene (H, W, 3) in [0, 1]; where a channel is full, it stays so."""
        rain = add_rain(scene, spec, rng).rain[..., None] * tint
        light = rain if spec.composition == "additive" else rain * (1 - scene)
        return np.minimum(scene + light, np.float32(1))

    def files(self, pictures: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        """Return pictures of one scene, (H, W, 3) in [0, 1], as files have them: with the same noise, compressed
        alike, and in 256 levels. The noise is that of the light of the last one, the clean picture.
        """
        noisy, compressed = rng.random(2) < (self.noise, self.jpeg)
        deviation, quality = between(self.noises, rng), round(between(self.qualities, rng))
        soft, sharpened = rng.random(2) < (self.soft, self.sharpened)
        blur, radius, amount = between(SOFT, rng), between(RADII, rng), between(AMOUNTS, rng)
        if soft:
            pictures = [_blurred(picture, blur) for picture in pictures]
        if sharpened:
            pictures = [picture + np.float32(amount) * (picture - _blurred(picture, radius)) for picture in pictures]
        if noisy:
            # Part of it grows with the light, as that of photons does.
            grain = rng.standard_normal(pictures[-1].shape, np.float32)
            grain *= np.float32(deviation) * np.sqrt(0.1 + 0.9 * np.clip(pictures[-1], 0, 1))
            pictures = [picture + grain for picture in pictures]
        levels = [np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8) for picture in pictures]
        if compressed:
            levels = [_through_jpeg(picture, quality) for picture in levels]
        return [picture.astype(np.float32) / np.float32(255) for picture in levels]


def _with_lamps(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = scene.shape[:2]
    row, column = np.ogrid[:height, :width]
    for _ in range(int(rng.integers(1, 4))):
        at = rng.random(2) * (height, width)
        radius, glow = 1.5 + 6 * rng.random(), 2 + 6 * rng.random()
        distance = np.sqrt((row - at[0]) ** 2 + (column - at[1]) ** 2)
        # A disc that clips, and a glow of its colour around.
        light = np.exp(-np.maximum(distance - radius, 0) / glow)[..., None].astype(np.float32)
        scene = scene + (1.5 * light) * np.asarray(LAMPS[int(rng.integers(len(LAMPS)))], np.float32)
    return np.minimum(scene, np.float32(1))


def _with_bars(scene: np.ndarray, angle: float, rng: np.random.Generator) -> np.ndarray:
    colour = np.asarray(BRIGHTEST * (0.15 + 0.85 * rng.random()) * (0.85 + 0.15 * rng.random(3)), np.float32)
    draw = _lettering if rng.random() < LETTERING else _railing
    covered = (draw(scene.shape[:2], angle, rng) / np.float32(255))[..., None]
    return scene + covered * (colour - scene)


def _lettering(shape: tuple[int, int], angle: float, rng: np.random.Generator) -> np.ndarray:
    """Return how far letters cover each pixel, (H, W) uint8."""
    import cv2

    text = "".join(chr(code) for code in rng.integers(ord("A"), ord("Z") + 1, 8))
    place = int(rng.integers(shape[1] // 2 + 1)), int(rng.integers(shape[0] // 4, shape[0]))
    size, thick = 0.5 + 1.5 * rng.random(), int(rng.integers(1, 4))
    covered = np.zeros(shape, np.uint8)
    cv2.putText(covered, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick, cv2.LINE_AA)
    return covered


def _railing(shape: tuple[int, int], angle: float, rng: np.random.Generator) -> np.ndarray:
    """Return how far bars cover each pixel, (H, W) uint8: most are upright, some as the rain falls."""
    import cv2

    lean = np.deg2rad((angle if rng.random() < ALONG else 0.0) + LEAN * rng.standard_normal())
    along = np.asarray([np.sin(lean), np.cos(lean)]) * (0.2 + rng.random()) * shape[0] / 2
    spacing, thick = 5 + 20 * rng.random(), int(rng.integers(1, 4))
    middle, span = rng.random(2) * shape[::-1], (0.2 + rng.random()) * shape[1] / 2
    covered = np.zeros(shape, np.uint8)
    for step in np.arange(-span, span, spacing):
        first, last = (np.rint(16 * (middle + (step, 0) + side * along)).astype(int).tolist() for side in (-1, 1))
        cv2.line(covered, first, last, 255, thick, cv2.LINE_AA, 4)  # in sixteenths of a pixel
    return covered


def _blurred(picture: np.ndarray, deviation: float) -> np.ndarray:
    import cv2

    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation))


def _through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    from PIL import Image

    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
