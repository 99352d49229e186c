"""The page at `/`: try a served model by hand, in a browser and without any other network."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript")
        for name in ("page", "answer", "api", "card", "curl", "dom", "fields")
    },
}
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
_POLICY += "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_routes() -> list[Route]:
    """A route for each file of the page, kept in memory."""
    return [Route(path, _file(*file)) for path, file in _FILES.items()]


def _file(name: str, kind: str) -> object:
    body = (_FOLDER / name).read_bytes()
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "content-security-policy": _POLICY,
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }

    async def file(request: Request) -> Response:
        return Response(body, headers=headers)

    return file
