"""What a server counts, in the format of Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of one server; they know models and numbers, never what a request says."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kerasft_requests_total", "Requests by model, what was asked and HTTP status.",
            ["model", "method", "status"], registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "kerasft_request_seconds", "Time from the head of a request to its answer.",
            ["model", "method"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._rows = Counter("kerasft_rows_total", "Rows answered.", ["model"], registry=self._registry)
        self._batch_rows = Histogram(
            "kerasft_batch_rows", "Rows that were answered together.", buckets=_ROWS, registry=self._registry
        )
        self._batch_seconds = Histogram(
            "kerasft_batch_seconds", "Time that a batch took.", buckets=_SECONDS, registry=self._registry
        )
        self._loads = Counter(
            "kerasft_version_loads_total", "Versions loaded, or refused as broken.",
            ["model", "loaded"], registry=self._registry,
        )  # fmt: skip
        self._shed = Counter(
            "kerasft_shed_total", "Requests refused with 429 before they were read.", registry=self._registry
        )
        self._backlog = Gauge(
            "kerasft_backlog_seconds", "In how many seconds what waits will be answered.", registry=self._registry
        )
        self._children: dict[tuple, tuple] = {}

    def watch_backlog(self, seconds: Callable[[], float]) -> None:
        """Takes a function that tells in how many seconds what waits will be answered."""
        self._backlog.set_function(seconds)

    def answered(self, model: str, method: str, status: int, seconds: float, rows: int) -> None:
        """Counts a request."""
        key = (model, method, status)
        if key not in self._children:  # looking labels up costs more than counting
            self._children[key] = (
                self._requests.labels(model, method, str(status)),
                self._seconds.labels(model, method),
                self._rows.labels(model),
            )
        requests, times, total = self._children[key]
        requests.inc()
        times.observe(seconds)
        if rows:
            total.inc(rows)

    def shed(self) -> None:
        """Counts a request that was refused before it was read."""
        self._shed.inc()

    def batch(self, rows: int, seconds: float) -> None:
        """Counts a batch."""
        self._batch_rows.observe(rows)
        self._batch_seconds.observe(seconds)

    def loaded(self, model: str, version: int, well: bool) -> None:
        """Counts a version that was loaded or refused."""
        self._loads.labels(model, str(well).lower()).inc()

    def text(self) -> bytes:
        """All of them, for `/metrics`."""
        return generate_latest(self._registry)
