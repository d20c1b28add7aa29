"""The application of a page: guarded, without what FastAPI adds by itself, and with every error in one form."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rainopt.web.access import Access
from rainopt.web.guard import Guard

try:
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import FileResponse, JSONResponse, Response
    from starlette.exceptions import HTTPException
    from starlette.staticfiles import StaticFiles
except ImportError as error:
    raise ImportError(f"pages need fastapi and uvicorn ({error}); pip install 'rainopt[review]'") from error

KIT = Path(__file__).parent / "static"
KIT_PREFIX = "/static/kit"


def create_app(
    title: str, *, access: Access, static: Mapping[str, Path] | None = None, index: Path | None = None
) -> FastAPI:
    """Return an application to which routes are to be added.

    Every error is answered as ``{"error": sentence}``. ``app.state.ending`` is a `threading.Event` that is set when the
    server is about to end, for what waits for news.

    Parameters
    ----------
    title
        Of the page.
    access
        Who may use it.
    static
        Folders that are served, by the beginning of their addresses, such as "/static/review"; links that lead out of
        them are refused. The modules that pages share are at "/static/kit".
    index
        The page at "/".
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.ending = threading.Event()
    app.add_middleware(Guard, access=access)
    app.exception_handler(HTTPException)(_said)
    app.exception_handler(RequestValidationError)(_invalid)
    for prefix, folder in {KIT_PREFIX: KIT, **(static or {})}.items():
        app.mount(prefix, _Static(directory=folder, check_dir=False))
    if index is not None:
        app.add_api_route("/", lambda: FileResponse(index, headers=REVALIDATED), methods=["GET"])
    return app


REVALIDATED = {"cache-control": "private, no-cache"}
"""Headers of what a browser keeps and asks for again, whether it has changed."""


class _Static(StaticFiles):
    """Files that a browser keeps and asks for again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(REVALIDATED)
        return response


async def _said(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"`{where}`: {first['msg']}"}, 422)
