"""The worker that detects: a program of an environment of its own, which knows nothing of the project.

It is started as ``python -I detector.py``. Lines of JSON go in and out. First it says what it can and which versions:

  {"missing": {"people": null, "text": "No module named 'rapidocr_onnxruntime'"}, "versions": {"cv2": "4.14.0", ...}}

then for each question ``{"task": "people" | "text", "path": "picture.png"}`` one answer, ``{"found": [...]}`` with
``{"box": [left, top, right, bottom], "score": 0.7}``, and ``"text"`` where it was read; or ``{"error": "why not"}``.
It ends with its input.

People are found by OpenCV's histograms of oriented gradients and linear support vector machine (Dalal and Triggs 2005),
with the weights that OpenCV holds. What overlaps a better box by more than `SAME` of the smaller one is the same person
(Dollár et al. 2009), and a box is that of the person: three quarters of the window's height, and as wide as people are.
Text is found and read by the models of PP-OCR that rapidocr-onnxruntime holds.
"""

import json
import os
import sys

ENLARGED = 1.5  # the window is 128 pixels high, a person in it 96: so 64 pixels of the picture
FLOOR = -0.5  # least score that is told: below the threshold that anybody would choose, for average precision
SAME = 0.65
PERSON = 0.75  # of the window's height
ASPECT = 0.41  # width of a person over the height, see benchmarks/tasks/boxes.py
SHORT_SIDE = 480  # pixels that text is looked for at, at least


def people_detector():
    """Return what finds people in a picture (H, W, 3) BGR uint8.

    Raises
    ------
    ImportError
        If OpenCV is missing, or has no such detector.
    """
    import cv2

    if not hasattr(cv2, "HOGDescriptor"):
        raise ImportError(f"OpenCV {cv2.__version__} has no HOGDescriptor")
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def found(picture):
        # A window is higher than who stands in it: without a border, who fills the picture is never found.
        border = round(picture.shape[0] * (1 / PERSON - 1) / 2)
        wide = cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_REPLICATE)
        large = cv2.resize(wide, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        windows, scores = hog.detectMultiScale(large, FLOOR, (8, 8), (0, 0), 1.05, 0)
        best: list[dict] = []
        for k in sorted(range(len(windows)), key=lambda k: -float(scores[k])):
            left, top, width, height = (float(value) / ENLARGED for value in windows[k])
            box = person((left - border, top - border, width, height))
            if all(shared(box, other["box"]) <= SAME for other in best):
                best.append({"box": box, "score": float(scores[k])})
        return best

    return found


def person(window):
    """Return left, top, right and bottom of who stands in a window (left, top, width, height)."""
    left, top, width, height = window
    x, y, high = left + width / 2, top + height / 2, PERSON * height
    return [x - ASPECT * high / 2, y - high / 2, x + ASPECT * high / 2, y + high / 2]


def shared(one, other):
    """Return what two boxes share, over the area of the smaller."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    return across * down / min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))


def text_detector():
    """Return what finds and reads text in a picture (H, W, 3) BGR uint8."""
    from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-not-found]

    reader = RapidOCR(det_limit_side_len=SHORT_SIDE, det_limit_type="min")

    def found(picture):
        lines, _ = reader(picture)
        return [
            {
                "box": [float(pick(p[axis] for p in corners)) for pick in (min, max) for axis in (0, 1)],
                "text": text,
                "score": float(score),
            }
            for corners, text, score in lines or []
        ]

    return found


MAKERS = {"people": people_detector, "text": text_detector}


def answer(line, detectors):
    """Return the answer to one line."""
    try:
        import cv2

        question = json.loads(line)
        picture = cv2.imread(question["path"], cv2.IMREAD_COLOR)
        if picture is None:
            return {"error": "the picture cannot be read"}
        return {"found": detectors[question["task"]](picture)}
    except Exception as error:  # one bad picture must not end what waits for the others
        return {"error": f"{type(error).__name__}: {error}"}


def versions() -> dict[str, str | None]:
    """Return the versions of what is used, None where it is missing."""
    from importlib import metadata

    found: dict[str, str | None] = {"python": sys.version.split()[0]}
    for module, names in (
        ("cv2", ("opencv-python", "opencv-contrib-python-headless", "opencv-python-headless")),
        ("rapidocr", ("rapidocr-onnxruntime",)),
        ("onnxruntime", ("onnxruntime",)),
    ):
        found[module] = next((version for name in names if (version := version_of(metadata, name))), None)
    return found


def version_of(metadata, name):
    """Return the version of a distribution, None if it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def main(names):
    """Answer until the input ends; ``names`` are the tasks that will be asked for."""
    # Libraries print: what is theirs goes to the errors, the pipe is for answers alone.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    detectors, missing = {}, dict.fromkeys(names)
    for name in names:
        try:
            detectors[name] = MAKERS[name]()
        except Exception as error:  # a package is not there, is broken, or lacks a library of the system
            missing[name] = str(error)
    print(json.dumps({"missing": missing, "versions": versions()}), file=pipe, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line, detectors)), file=pipe, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(MAKERS))
