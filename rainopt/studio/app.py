"""The application of the page for photographs: its addresses, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from rainopt.io import ImageFileError, ImageFileExistsError
from rainopt.studio.archive import NAME, packed
from rainopt.studio.asked import Asked, AskedError
from rainopt.studio.lane import SupersededError
from rainopt.studio.pictures import Picture, PictureError
from rainopt.studio.session import Session
from rainopt.studio.views import Kind
from rainopt.web.access import Access
from rainopt.web.app import create_app

PAGE = Path(__file__).parent / "page"
PATIENCE = 1.0  # seconds that a question about work waits for its end
KEPT = {"cache-control": "private, max-age=3600, immutable"}
"""Of pictures whose addresses change with what they show."""

STATUS: dict[type[Exception], int] = {AskedError: 422, PictureError: 404, ImageFileError: 400, OSError: 507}
"""Of answers to what goes wrong; the first kind that fits."""


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    asked: dict[str, Any]


class _Look(_Sent):
    box: Annotated[list[int], Field(min_length=4, max_length=4)] | None = None
    quick: bool = False
    stand_in: bool = False


class _Save(_Sent):
    overwrite: bool = False


class _All(_Save):
    lines: bool = False


class _Command(_Sent):
    write: bool = False


def studio_app(session: Session, access: Access) -> FastAPI:
    """Return the application of a session."""
    app = create_app("studio", access=access, static={"/static/studio": PAGE}, index=PAGE / "index.html")

    def found(number: int) -> Picture:
        return session.pictures.of(number)

    @contextmanager
    def told() -> Iterator[None]:
        """Turn what may go wrong into answers."""
        try:
            yield
        except (AskedError, PictureError, ImageFileError, OSError) as error:
            status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
            raise HTTPException(status, session.plain(str(error))) from error

    @app.get("/api/session")
    def begin() -> dict[str, Any]:
        return session.as_json()

    @app.post("/api/pictures")
    async def add(request: Request, name: Annotated[str, Query(max_length=1000)]) -> dict[str, Any]:
        content = await request.body()
        with told():
            return session.told(await run_in_threadpool(session.pictures.add, name, content))

    @app.get("/api/pictures/{number}/thumb")
    def thumb(number: int) -> Response:
        with told():
            return Response(session.views.thumb(found(number)), media_type="image/jpeg", headers=KEPT)

    @app.post("/api/pictures/{number}/view")
    def look(number: int, sent: _Look) -> dict[str, Any]:
        with told():
            picture, asked = found(number), Asked.of(sent.asked)
            picture.asked = asked
            try:
                return session.views.show(picture, asked, sent.box, sent.quick, sent.stand_in)
            except SupersededError:
                return {"superseded": True}

    @app.get("/api/views/{key}/{kind}")
    def view(key: str, kind: Kind) -> Response:
        with told():
            return Response(session.views.jpeg(key, kind), media_type="image/jpeg", headers=KEPT)

    @app.get("/api/looks/{number}")
    def look_of(number: int) -> dict[str, Any]:
        look = session.looks.numbered(number)
        if look is None:
            # Others have been looked at since.
            return {"look": number, "state": "stopped", "share": 0.0, "error": None}
        look.done.wait(PATIENCE)
        return session.plain(look.as_json())

    @app.post("/api/pictures/{number}/full")
    def full(number: int, sent: _Sent) -> dict[str, Any]:
        with told():
            return session.plain(session.results.start(found(number), Asked.of(sent.asked)).as_json())

    @app.get("/api/work/{number}")
    def work(number: int) -> dict[str, Any]:
        with told():
            result = session.results.numbered(number)
        result.work.done.wait(PATIENCE)
        return session.plain(result.as_json())

    @app.post("/api/work/{number}/stop")
    def stop(number: int) -> dict[str, Any]:
        with told():
            return session.results.stop(number).as_json()

    @app.post("/api/pictures/{number}/save")
    def save(number: int, sent: _Save) -> dict[str, Any]:
        with told():
            picture = found(number)
            try:
                file = made(picture, Asked.of(sent.asked))
                place = session.results.save(picture, file, overwrite=sent.overwrite)
            except ImageFileExistsError:
                return {"there": str(picture.target)}
            return {"saved": str(place)}

    @app.get("/api/pictures/{number}/result/{work}")
    def result(number: int, work: int) -> Response:
        with told():
            picture, made_of = found(number), session.results.numbered(work)
            file = made_of.file
            if file is None or made_of.work.source != picture.path:
                raise PictureError("this result is not made yet")
            picture.saved = picture.saved or picture.result_name
            return FileResponse(file, filename=picture.result_name)

    @app.post("/api/archive")
    def archive() -> dict[str, Any]:
        with told():
            answer = session.plain(session.archive())
        return {"address": f"/api/archive/{answer.pop('key')}", "name": NAME} | answer

    @app.get("/api/archive/{key}")
    def archived(key: str) -> Response:
        with told():
            entries = session.archived(key)
        for entry in entries:
            entry.picture.saved = entry.picture.saved or entry.name
        headers = {"content-disposition": f'attachment; filename="{NAME}"'}
        return StreamingResponse(packed(entries), media_type="application/zip", headers=headers)

    @app.post("/api/pictures/{number}/command")
    def command(number: int, sent: _Command) -> dict[str, Any]:
        with told():
            picture, asked = found(number), Asked.of(sent.asked)
            return session.command(picture, asked, write=sent.write)

    @app.post("/api/pictures/{number}/marks")
    def marks(number: int, sent: _Sent) -> dict[str, Any]:
        with told():
            key = session.marks_of(found(number), Asked.of(sent.asked))
        return {"address": f"/api/marks/{key}"}

    @app.get("/api/marks/{key}")
    def marks_file(key: str) -> Response:
        with told():
            return FileResponse(session.marks_file(key))

    @app.post("/api/pictures/{number}/all")
    def run_all(number: int, sent: _All) -> dict[str, Any]:
        with told():
            picture, asked = found(number), Asked.of(sent.asked)
            there = [other.target for other in session.pictures.all if other.target and other.target.exists()]
            batch = session.run_all(picture, asked, lines=sent.lines, overwrite=sent.overwrite)
            return session.plain(batch.as_json()) | {"there": len(there)}

    @app.get("/api/all")
    def all_of_them() -> dict[str, Any]:
        batch = session.batch
        return {"state": "none"} if batch is None else session.plain(batch.as_json())

    @app.post("/api/all/stop")
    def stop_all() -> dict[str, Any]:
        if session.batch is not None:
            session.batch.stop()
        return all_of_them()

    def made(picture: Picture, asked: Asked) -> Path:
        """Return the file of a result, which the page has seen made."""
        result = session.results.find(picture, asked)
        if result is None or result.file is None:
            raise PictureError("this result is not made yet")
        return result.file

    return app
