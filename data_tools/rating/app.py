"""The page of a study and what it asks of the server: by place in the rater's order, never by name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from data_tools.rating.pictures import PngCache
from data_tools.rating.questions import Question
from data_tools.rating.study import Rater, RatingError, Study
from rainopt.io.journal import JournalError
from rainopt.web.access import Access
from rainopt.web.app import create_app

PAGE = Path(__file__).parent / "page"

_log = logging.getLogger(__name__)


class Said(BaseModel):
    """A rating as the page sends it; `seconds` is how long the picture was looked at."""

    position: int
    rating: int
    seconds: Annotated[float, Field(ge=0, le=86400)] | None = None


def rating_app(study: Study, question: Question, access: Access, rater: str | None = None) -> FastAPI:
    """Return the application of a study; `rater` is who sits at this machine, so that the page need not ask."""
    app = create_app("rate", access=access, static={"/static/rate": PAGE}, index=PAGE / "index.html")
    cache = PngCache()

    def state(one: Rater) -> dict[str, Any]:
        return {"rater": one.name, "ratings": one.given()}

    @app.exception_handler(RatingError)
    async def wrong(request: object, error: RatingError) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(JournalError)
    async def unwritten(request: object, error: JournalError) -> Response:
        _log.error("%s", error)
        return JSONResponse({"error": str(error)}, 507)

    @app.get("/api/study")
    def about() -> dict[str, Any]:
        return {"count": len(study.pictures), "rater": rater, "question": question.text, "scale": question.scale}

    @app.post("/api/raters")
    def begin(name: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
        with study.lock:
            return state(study.rater(name))

    @app.get("/api/raters/{name}/pictures/{position}")
    def picture(name: str, position: int) -> Response:
        with study.lock:
            path = study.rater(name).picture(position).path
        try:
            content = cache.get(path)
        except (OSError, ValueError) as error:
            # Its name is for the terminal alone.
            _log.error("a picture of the study cannot be shown: %s", error)
            return JSONResponse({"error": "this picture cannot be shown any more; go on with the next one"}, 404)
        return Response(content, media_type="image/png")

    @app.post("/api/raters/{name}/ratings")
    def rate(name: str, said: Said) -> dict[str, Any]:
        with study.lock:
            one = study.rater(name)
            one.rate(said.position, said.rating, said.seconds)
            return state(one)

    @app.post("/api/raters/{name}/undo")
    def undo(name: str) -> dict[str, Any]:
        with study.lock:
            one = study.rater(name)
            return {"position": one.undo()} | state(one)

    return app
