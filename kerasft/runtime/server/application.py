"""The server as an ASGI application: which path is answered by what."""

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kerasft import __version__
from kerasft.runtime.server import open_inference, tensorflow_serving
from kerasft.runtime.server.asking import Asking, failed
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.describe import described
from kerasft.runtime.server.exchange import Json, error_response
from kerasft.runtime.server.metrics import CONTENT_TYPE, Metrics
from kerasft.runtime.server.openapi import openapi
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.page import page_routes
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.repository import Repository
from kerasft.runtime.server.version import Version


class _NameConvertor(StringConvertor):
    """A part of a path that ends before a colon, as what is asked for stands behind one."""

    regex = "[^/:]+"


register_url_convertor("name", _NameConvertor())


class Service:
    """Answers requests with the models of a repository.

    Args:
        repository: loaded.
        workers: of its models.
        limits: of the server.
        metrics: counts requests.
        log_requests: whether a line is logged for each request: model, status, milliseconds, rows; never texts.
    """

    def __init__(
        self, repository: Repository, workers: Workers, limits: Limits, metrics: Metrics, log_requests: bool = False
    ):
        self._repository, self._workers, self._limits, self._metrics = repository, workers, limits, metrics
        self._log_requests = log_requests

    def application(self) -> Asking:
        """The ASGI application."""
        one, infer = "/v1/models/{name:name}", "/v2/models/{name:name}"
        routes = []
        for path in (infer, infer + "/versions/{version:name}"):
            routes += [Route(path + "/ready", self._model_ready), Route(path, self._model_metadata)]
        for path in (one, one + "/versions/{version:name}", one + "/labels/{label:name}"):
            routes += [Route(path + "/metadata", self._metadata), Route(path, self._status)]
        routes += [
            Route("/v2", self._server_metadata),
            Route("/v2/health/live", self._alive),
            Route("/v2/health/ready", self._ready),
            Route("/healthz", self._alive),
            Route("/readyz", self._ready),
            Route("/metrics", self._counted),
            Route("/models", self._models),
            Route("/openapi.json", self._openapi),
            *page_routes(),
        ]
        handlers = {HTTPException: _http_error, RefusalError: _refused, Exception: _failed}
        others = Starlette(routes=routes, exception_handlers=handlers)
        others.router.redirect_slashes = False
        return Asking(others, self._repository, self._limits, self._metrics, self._log_requests)

    def _find(self, request: Request) -> Version:
        given = request.path_params
        return self._repository.find(given["name"], given.get("version"), given.get("label"))

    async def _status(self, request: Request) -> Response:
        given = request.path_params
        version = self._find(request) if len(given) > 1 else None
        model = self._repository.models.get(given["name"])
        if model is None:
            self._repository.find(given["name"])  # refuses
        return Json(tensorflow_serving.status(model, version))

    async def _metadata(self, request: Request) -> Response:
        return Json(tensorflow_serving.metadata(self._find(request)))

    async def _model_metadata(self, request: Request) -> Response:
        version = self._find(request)
        return Json(open_inference.metadata(version, list(self._repository.models[version.name].versions)))

    async def _model_ready(self, request: Request) -> Response:
        version = self._find(request)
        return Json({"name": version.name, "ready": True})

    async def _server_metadata(self, request: Request) -> Response:
        return Json({"name": "kerasft", "version": __version__, "extensions": []})

    async def _alive(self, request: Request) -> Response:
        return Json({"live": True})

    async def _ready(self, request: Request) -> Response:
        lacking = [model.name for model in self._repository.models.values() if not model.versions]
        if lacking:
            return Json({"ready": False, "error": f"no version is served of: {', '.join(lacking)}"}, 503)
        return Json({"ready": True})

    async def _counted(self, request: Request) -> Response:
        return Response(self._metrics.text(), headers={"content-type": CONTENT_TYPE})

    async def _models(self, request: Request) -> Response:
        served = [model.versions[max(model.versions)] for model in self._repository.models.values() if model.versions]
        return Json({"models": [described(version) for version in sorted(served, key=lambda one: one.name)]})

    async def _openapi(self, request: Request) -> Response:
        return Json(openapi(self._repository, self._limits))


async def _http_error(request: Request, error: HTTPException) -> Response:
    told = {404: "there is no such path", 405: "this path does not take this method"}.get(
        error.status_code, error.detail
    )
    message = f"{told}. Received: {request.method} {request.url.path[:200]}."
    if error.status_code == 404:
        message += " Allowed: /v1/models/NAME:predict and those in /openapi.json."
    return error_response(error.status_code, message, dict(error.headers or {}))


async def _refused(request: Request, refusal: RefusalError) -> Response:
    return error_response(refusal.status, refusal.message, refusal.headers)


async def _failed(request: Request, error: Exception) -> Response:
    return Json(failed(request.url.path, error), 500)
