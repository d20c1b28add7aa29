"""Where figures come from: the command that makes them again, when it ran, on which tree, on which machine."""

from __future__ import annotations

from benchmarks.report.reading import GPU, Result, number, pairs, word

# The result files that are looked for, and the command of each where the file does not say it; `benchmarks/README.md`
# tells what each asks and takes.
COMMANDS: dict[str, str] = {
    "speed": "python -m benchmarks.speed",
    "scaling": "python -m benchmarks.scaling",
    "peers": "python -m benchmarks.peers",
    "solver_peers": "python -m benchmarks.solver.peers",
    "quality": "python -m benchmarks.quality --data DIR",
    "solver_quality": "python -m benchmarks.solver.quality --data DIR",
    "ablation": "python -m benchmarks.solver.ablation --data DIR",
    "traces": "python -m benchmarks.traces --data DIR --model udgnet-small --model refine",
    "angle": "python -m benchmarks.angle.accuracy --data DIR --fit --tilt",
    "tasks": "python -m benchmarks.tasks --data DIR",
    "video_quality": "python -m benchmarks.video.quality --data DIR",
    "video_rows": "python -m benchmarks.video.rows --data DIR",
    "video_living": "python -m benchmarks.video.living",
    "video_flicker": "python -m benchmarks.video.flicker --data DIR",
    "video_judged": "python -m benchmarks.video.judged --data DIR",
    "net_quality": "python -m benchmarks.networks.quality --data DIR",
    "net_angle": "python -m benchmarks.networks.angle --data DIR",
    "net_single": "python -m benchmarks.networks.single --data DIR",
    "net_ablation": "python -m benchmarks.networks.ablation --data DIR",
    "net_spanet": "python -m benchmarks.networks.spanet --data DIR",
    "net_spanet_ablation": "python -m benchmarks.networks.spanet_ablation --data DIR",
    "net_speed": "python -m benchmarks.networks.speed",
    "net_irnn": "python -m benchmarks.networks.irnn",
    "darker": "python -m benchmarks.darker --data DIR",
    "synth": "python -m benchmarks.rain.synth",
    "presets": "python -m benchmarks.rain.presets --data DIR",
    "formats": "python -m benchmarks.formats",
}
OF_CARDS = "bash benchmarks/gpu/run.sh OUT"
UNRECORDED = "before this was recorded"
# Of the versions that a file lists, those that times depend on; the page of all results lists every one.
NAMED = ("rainopt", "numpy", "numba")


def command_of(result: Result) -> str:
    """Return the command that makes a result again."""
    if result.file.startswith(f"{GPU}/"):
        return OF_CARDS
    unknown = f"python -m benchmarks run {result.file.removesuffix('.json')}"
    return word(result.values, "measured", "command") or COMMANDS.get(result.name, unknown)


def when(result: Result) -> str:
    """Return the day on which a result was measured."""
    return word(result.values, "measured", "date") or UNRECORDED


def tree(result: Result) -> str:
    """Return the commit that a result was measured on."""
    commit = word(result.values, "measured", "commit")
    if not commit:
        return UNRECORDED
    return f"{commit}, with changes" if result.at("measured", "dirty") is True else commit


def measured(result: Result) -> str:
    """Return when, on which tree, and whether in a quick form."""
    day, commit = when(result), tree(result)
    quick = ", a quick run, which says little" if is_quick(result) else ""
    return (day if day == commit else f"{day}, tree {commit}") + quick


def is_quick(result: Result) -> bool:
    """Return whether a result is of a quick form, which shows that a benchmark runs and little more."""
    return True in (result.at("measured", "quick"), result.at("quick"))


def machine(result: Result) -> str:
    """Return cores, system and Python; of a card its name."""
    facts = result.at("steps", "facts")
    if facts is not None:
        cores, python = number(facts, "cores"), word(facts, "versions", "python")
        card = word(facts, "device", "name")
        words = [card, f"{cores:.0f} CPU cores" if cores else "", f"Python {python}" if python else ""]
    else:
        cores, python = number(result.values, "environment", "cores"), word(result.values, "environment", "python")
        system = [word(result.values, "environment", key) for key in ("system", "architecture")]
        words = [_cores(cores), " ".join(filter(None, system)), f"Python {python}" if python else ""]
    return ", ".join(filter(None, words))


def versions(result: Result, named: tuple[str, ...] | None = None) -> str:
    """Return the versions of packages, of all or of those named."""
    found = pairs(result.values, "environment", "versions") or pairs(result.values, "steps", "facts", "versions")
    told = [(name, version) for name, version in found if isinstance(version, str) and name != "python"]
    return ", ".join(f"{name} {version}" for name, version in told if named is None or name in named)


def told(result: Result) -> str:
    """Return where figures are from, in one line of Markdown."""
    where = ", ".join(filter(None, (machine(result), versions(result, NAMED)))) or "a machine that was not recorded"
    return f"*Again:* `{command_of(result)}` · *measured:* {measured(result)} · *on:* {where}"


def _cores(cores: float | None) -> str:
    return "" if cores is None else f"{cores:.0f} {'core' if cores == 1 else 'cores'}"
