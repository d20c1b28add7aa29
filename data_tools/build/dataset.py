"""Make a dataset of rain videos: work on each here or on a cluster, note what it gave in the manifest, and split it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from data_tools.build.notes import VideoResult, noted_fingerprints
from data_tools.build.plan import VideoJob
from data_tools.build.settings import VideoSettings
from data_tools.build.splits import leaders, split_of
from data_tools.build.video import build_video
from data_tools.decisions.as_made import all_as_made
from data_tools.decisions.honour import Honoured, honour
from data_tools.manifest.file import Manifest, PairRecord, append_record, read_manifest
from data_tools.manifest.folder import open_folder, sweep
from rainopt.parallel.processes import DIED, run_in_processes

Watch = Callable[[VideoJob, float], None]


class ClusterError(RuntimeError):
    """The scheduler cannot be reached or used."""


class AddressError(ClusterError):
    """What should name the scheduler is no address; nothing has been done."""


def begin(folder: Path, settings: VideoSettings) -> Manifest:
    """Begin a dataset or go on with one; see `data_tools.manifest.folder.open_folder`."""
    return open_folder(folder, settings.kind, settings.recorded(), settings.licence)


def run(
    jobs: Sequence[VideoJob], processes: int, scheduler: str | None = None, report: Watch | None = None
) -> Iterator[VideoResult]:
    """Work on videos in this process, in several, or on a cluster; yield results as they are ready.

    `report(job, share)` is called during the work on a video where that is done in this process.
    """
    if scheduler is not None:
        yield from _on_cluster(jobs, scheduler)
    elif processes <= 1 or len(jobs) < 2:
        for job in jobs:
            yield build_video(job, partial(report, job) if report else None)
    else:
        for (job,), result in run_in_processes(build_video, [(job,) for job in jobs], min(processes, len(jobs))):
            yield result or VideoResult(job.name, str(job.source), error=f"'{job.source}': {DIED}")


def check_scheduler(address: str) -> None:
    """Refuse an address at which no scheduler of dask can be.

    Raises
    ------
    AddressError
        If it is none.
    ClusterError
        If dask is not there.
    """
    _, _, addressing, get_backend = _distributed()
    try:
        scheme, place = addressing.parse_address(address)
        get_backend(scheme)
        if scheme != "inproc":
            addressing.parse_host_port(place)
    except ValueError as error:
        raise AddressError(
            f"'{address}' is no address of a scheduler ({error}); it looks like tcp://10.0.0.1:8786"
        ) from None


def _distributed() -> tuple[Any, Any, Any, Any]:
    try:
        from distributed import Client, as_completed
        from distributed.comm import addressing
        from distributed.comm.registry import get_backend
    except ImportError as error:
        raise ClusterError(f"a cluster needs distributed ({error}); pip install 'rainopt[cluster]'") from error
    return Client, as_completed, addressing, get_backend


def _on_cluster(jobs: Sequence[VideoJob], address: str) -> Iterator[VideoResult]:
    # A client that is half made waits long for its end.
    check_scheduler(address)
    Client, as_completed, _, _ = _distributed()
    try:
        client = Client(address, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"the scheduler '{address}' cannot be reached ({error}); is it running?") from error
    with client:
        # Not pure: a video whose pairs were removed is done again. Workers that die hand their videos to others.
        futures = {client.submit(build_video, _anywhere(job), pure=False, retries=2): job for job in jobs}
        for future in as_completed(futures, loop=client.loop):
            job = futures[future]
            try:
                yield future.result()
            except Exception as error:
                yield VideoResult(job.name, str(job.source), error=f"'{job.source}': the cluster gave up ({error})")


def _anywhere(job: VideoJob) -> VideoJob:
    """Return a job that does not depend on the folder that a worker runs in."""
    return replace(job, source=job.source.absolute(), folder=job.folder.absolute())


def note(folder: Path, result: VideoResult, there: set[str]) -> int:
    """Add the records of a video to the manifest, but for those that are `there`; return how many."""
    new = [record for record in result.records if record.id not in there]
    for record in new:
        append_record(folder, record)
        there.add(record.id)
    return len(new)


def finish(
    folder: Path,
    settings: VideoSettings,
    results: Sequence[VideoResult],
    decided: Callable[[Honoured], None] | None = None,
) -> Manifest:
    """Sort the manifest, put every record into its split, honour what people have decided, and remove what killed runs
    left half written; `decided` is told what came of the decisions.

    Videos whose backgrounds look alike share a split, so that no network is tested on what it was trained on.
    """
    sweep(folder)
    manifest = read_manifest(folder, repair=True)
    prints = {(result.name, one) for result in results for window in result.windows for one in window.fingerprints}
    leader = leaders(prints | noted_fingerprints(folder))

    def in_split(record: PairRecord) -> PairRecord:
        video = record.id.partition("/")[0]
        return record.model_copy(update={"split": split_of(leader.get(video, video), settings)})

    honoured = honour(manifest, [in_split(record) for record in all_as_made(manifest)])
    if decided is not None:
        decided(honoured)
    return read_manifest(folder)
