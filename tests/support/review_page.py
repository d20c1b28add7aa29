"""What tests wait for on the page of `raindata review`, and read of it."""

import json

SCENES = 4


def entries(dataset, reviewer="ada"):
    """What a reviewer's log says: kind and verdict of each line."""
    file = dataset / "review" / f"{reviewer}.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [line.get("verdict") or line["kind"] for line in lines]


def settle(page):
    """Wait until all is saved."""
    page.wait_for_selector("#saving:text-is('all saved')")


def at(page, number):
    """Wait until a scene is shown, by its place in the list."""
    page.wait_for_selector(f".facts-head p:has-text('Scene {number} of')")
    page.wait_for_selector(f"#stage[data-shown='{number - 1}/0']")


def told(page, text):
    """Wait until the page says something."""
    page.wait_for_selector(f".toast:has-text({json.dumps(text)})")


def decided(page, count):
    page.wait_for_selector(f"#progress-text:text-is('{count} of {SCENES} scenes decided')")


def seen(page):
    """The layers that can be seen."""
    script = (
        "[...document.querySelectorAll('.stage-plane[data-layer]:not(.unseen)')].map((plane) => plane.dataset.layer)"
    )
    return [name for name in page.evaluate(script) if name != "veil"]
