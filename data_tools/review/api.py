"""The application of the review page: its addresses, and what they answer.

Every answer of a change is sent when the change is on the disk. What cannot be written is answered with 507, what has
changed meanwhile with 409, and what is not there with 404.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from data_tools.decisions.board import NothingToUndoError
from data_tools.decisions.entries import LONGEST_NOTE, Verdict
from data_tools.decisions.masks import MaskError, decode_mask, mask_path, write_mask
from data_tools.decisions.rounds import rounds_of
from data_tools.manifest.paths import ManifestError
from data_tools.review.dataset import Listed
from data_tools.review.gallery import NoPictureError
from data_tools.review.news import news
from data_tools.review.session import Session
from rainopt.io import image_size
from rainopt.io.atomic import WriteError
from rainopt.io.journal import JournalError
from rainopt.web.access import Access
from rainopt.web.app import REVALIDATED, create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "page"
MOST_LISTED = 500


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Decision(_Change):
    verdict: Verdict
    note: str | None = Field(None, max_length=LONGEST_NOTE)
    round: int | None = Field(None, ge=0)


class _Note(_Change):
    note: str = Field(max_length=LONGEST_NOTE)


class _Above(_Change):
    score: float = Field(allow_inf_nan=False)
    count: int = Field(ge=0)


def review_app(session: Session, access: Access) -> FastAPI:
    """Return the application that reviews a dataset."""
    app = create_app("review", access=access, static={"/static/review": PAGE}, index=PAGE / "index.html")
    one_by_one = threading.Lock()  # counts that are checked before a change hold until it is made

    def found(number: int) -> Listed:
        if not 0 <= number < len(session.dataset.scenes):
            raise HTTPException(404, f"there is no scene {number}; the dataset holds {len(session.dataset.scenes)}")
        return session.dataset.scenes[number]

    def changed(listed: Listed, entry: str) -> dict[str, Any]:
        session.again.look([listed.scene.name])
        return {"scene": session.full(listed), "entry": entry}

    @app.get("/api/dataset")
    def dataset() -> dict[str, Any]:
        return session.summary()

    @app.get("/api/scenes")
    def scenes(
        begin: int = Query(0, alias="from", ge=0),
        count: int = Query(50, ge=0, le=MOST_LISTED),
        which: Literal["all", "open", "decided"] = "all",
    ) -> JSONResponse:
        return JSONResponse(session.listed(which, begin, count))

    @app.get("/api/scenes/{number}")
    def scene(number: int) -> JSONResponse:
        listed = found(number)
        with _told():
            session.board.refresh()
            return JSONResponse(session.full(listed))

    @app.get("/api/picture/{number}/{frame}/{kind}")
    def picture(
        request: Request,
        number: int,
        frame: int,
        kind: Literal["rainy", "clean", "difference", "mask", "invalid"],
        size: Literal["thumb", "screen", "full"] = "screen",
        round: int = Query(0, ge=0),
    ) -> Response:
        listed = found(number)
        with _told():
            if kind == "invalid":
                mask = session.opinion(listed).mask
                if mask is None:
                    raise HTTPException(404, "this scene has no pixels marked as invalid")
                return FileResponse(mask_path(session.dataset.folder, mask), headers=REVALIDATED)
            served = session.gallery.picture(session.frames(listed, round), frame, kind, size)
        headers = {**REVALIDATED, "etag": f'"{served.tag}"'}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(served.content, media_type=served.type, headers=headers)

    @app.post("/api/scenes/{number}/decision")
    def decide(number: int, said: _Decision) -> dict[str, Any]:
        listed = found(number)
        with _told(), one_by_one:
            shown = session.round_of(listed) if said.round is None else said.round
            if shown > (there := rounds_of(session.dataset.folder, listed.scene)):
                raise HTTPException(409, f"this scene has no round {shown}, the last is {there}; load it anew")
            if said.verdict == "more" and (why := session.again.why_not(listed.scene, shown)):
                raise HTTPException(409, why)
            fields: dict[str, Any] = {"kind": "decision", "scenes": (listed.scene.name,), "verdict": said.verdict}
            entry = session.board.add(session.reviewer, **fields, note=said.note, round=shown)
            return changed(listed, entry.id)

    @app.post("/api/scenes/{number}/note")
    def note(number: int, said: _Note) -> dict[str, Any]:
        listed = found(number)
        with _told():
            scenes = (listed.scene.name,)
            entry = session.board.add(session.reviewer, kind="note", scenes=scenes, note=said.note)
            return changed(listed, entry.id)

    @app.put("/api/scenes/{number}/invalid")
    async def invalid(number: int, request: Request) -> dict[str, Any]:
        return await run_in_threadpool(mark, number, await request.body())

    def mark(number: int, content: bytes) -> dict[str, Any]:
        listed = found(number)
        with _told():
            frame = session.frames(listed, session.round_of(listed))[0]
            mask = decode_mask(content, image_size(session.dataset.path(frame.rainy)))
            name = write_mask(session.dataset.folder, mask)
            entry = session.board.add(session.reviewer, kind="invalid", scenes=(listed.scene.name,), mask=name)
            return changed(listed, entry.id)

    @app.post("/api/undo")
    def undo() -> dict[str, Any]:
        with _told(), one_by_one:
            try:
                undone = session.board.undo(session.reviewer)
            except NothingToUndoError as error:
                raise HTTPException(409, str(error)) from None
            session.again.look(undone.scenes)
            number = session.dataset.numbers.get(undone.scenes[0]) if len(undone.scenes) == 1 else None
            scene = None if number is None or undone.kind == "above" else session.full(found(number))
            return {"undone": undone.id, "scenes": len(undone.scenes), "scene": scene}

    @app.get("/api/above")
    def above(score: float = Query(allow_inf_nan=False)) -> dict[str, Any]:
        session.board.refresh()
        agree, of = session.automatic_agreement(score)
        return {"count": len(session.open_above(score)), "agree": agree, "of": of}

    @app.post("/api/above")
    def accept_above(said: _Above) -> dict[str, Any]:
        def say() -> dict[str, Any]:
            scenes = session.open_above(said.score)
            if len(scenes) != said.count:
                raise HTTPException(409, f"{len(scenes)} scenes are open there now, and not {said.count}; look again")
            return {"kind": "above", "scenes": tuple(scenes), "verdict": "accept", "score": said.score}

        with _told(), one_by_one:
            if said.count == 0:
                raise HTTPException(409, "there is no open scene above that score")
            return {"count": len(session.board.add_seen(session.reviewer, say).scenes)}

    @app.get("/api/changes")
    async def changes(request: Request, since: str | None = Query(None, max_length=4000)) -> dict[str, Any]:
        return await news(session, since, app.state.ending, request.is_disconnected)

    return app


@contextmanager
def _told() -> Iterator[None]:
    """Turn what may go wrong into answers."""
    try:
        yield
    except (JournalError, WriteError) as error:
        raise HTTPException(507, str(error)) from error
    except MaskError as error:
        raise HTTPException(422, str(error)) from error
    except (NoPictureError, ManifestError) as error:
        raise HTTPException(404, str(error)) from error
    except HTTPException:
        raise
    except (ValueError, OSError) as error:
        raise HTTPException(404, str(error)) from error
