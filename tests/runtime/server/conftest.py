"""Servers in this process: requests go through the application as through a socket."""

import pytest
from starlette.testclient import TestClient

from kerasft.runtime.server.application import Service
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.metrics import Metrics
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.repository import Repository


@pytest.fixture(scope="session")
def start():
    """A function from a folder (and limits and a repository's options) to a client; `client.repository` too."""
    started = []

    def make(folder, limits=None, threads=2, **options):
        limits, metrics = limits or Limits(), Metrics()
        workers = Workers(threads, limits, metrics.batch)
        metrics.watch_backlog(workers.backlog_seconds)
        repository = Repository(folder, workers, on_load=metrics.loaded, **options)
        client = TestClient(Service(repository, workers, limits, metrics).application(), raise_server_exceptions=False)
        client.__enter__()
        client.repository, client.workers = repository, workers
        started.append(client)
        return client

    yield make
    for client in started:
        client.__exit__(None, None, None)
        client.workers.close()


@pytest.fixture(scope="session")
def client(start, bundle):
    """A server of the tiny bundle of texts."""
    return start(bundle)
