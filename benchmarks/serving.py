"""Requests a second and milliseconds of servers of one bundle: kerasft's, FastAPI, KServe, MLServer, in one run.

    KERASFT_DATA=... python -m benchmarks.serving --bundle exported/imdb_lstm \\
        --plain-python PYTHON --kserve-python PYTHON --mlserver-python PYTHON
    KERASFT_DATA=... python -m benchmarks.serving --bundle exported/imdb_lstm --swap 20 --soak 15

One IMDb test review a request, the same ones for all, from `benchmarks.serving_client` in a process of its own on the
same machine. All servers run throughout and take turns in each round. A PYTHON is an interpreter that has what the
server needs (fastapi and TensorFlow; kserve; mlserver) besides this project's runtime; a server without one is left
out. First closed loops, then a steady load of 80% of each server's best rate, then three times that rate; latency
then counts from when a request was due. --swap and --soak are about kerasft's server alone.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import tyro

from benchmarks import serving_contenders as contenders
from benchmarks.serving_client import Load
from benchmarks.serving_contenders import Contender
from benchmarks.serving_process import ClientProcess, ServerProcess
from kerasft.base.errors import InputError


@dataclass(frozen=True)
class Config:
    """Compare servers."""

    bundle: Path
    """What is served: a model of one text input, with its SavedModel."""

    plain_python: str | None = None
    """Interpreter with FastAPI and TensorFlow."""

    kserve_python: str | None = None
    """Interpreter with KServe."""

    mlserver_python: str | None = None
    """Interpreter with MLServer."""

    kserve_workers: int = 2
    """KServe's processes; with 1 it answers in threads."""

    mlserver_workers: int = 0
    """MLServer's processes that answer; 0: threads of its own process."""

    mlserver_batch_seconds: float = 0.002
    """How long a batch of MLServer waits for more."""

    queue_milliseconds: float | None = None
    """kerasft's --limits.queue-milliseconds. Default: its own."""

    connections: tuple[int, ...] = (1, 8, 64)
    """Connections of the closed loops."""

    rounds: int = 5
    """Turns of each server."""

    seconds: float = 6.0
    """Length of a turn."""

    reviews: int = 1_000
    """Reviews that are sent, over and over."""

    swap: float = 0.0
    """Seconds of load at half the best rate while versions come and go."""

    soak: float = 0.0
    """Minutes of load at 80% of the best rate while memory is watched."""


Servers = dict[str, tuple[Contender, ServerProcess]]


def main(config: Config) -> None:
    """Prints the tables."""
    texts = reviews(config.reviews)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(texts):,} reviews")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers: Servers = {}
        for one in chosen(config):
            servers[one.name] = one, stack.enter_context(one.start(Path(folder)))
        agree(servers, texts[:8])
        best = closed_loops(config, servers, texts)
        steady(config, servers, texts, best)
        overload(config, servers, texts, best)
        if config.soak:
            soak(config, *servers[contenders.KERASFT], texts, 0.8 * best[contenders.KERASFT])
    if config.swap:
        swap(config, texts, 0.5 * best[contenders.KERASFT])


def chosen(config: Config) -> list[Contender]:
    """The servers that can be started."""
    bundle, queue = config.bundle.resolve(), config.queue_milliseconds
    options = () if queue is None else ("--limits.queue-milliseconds", str(queue))
    found = [contenders.kerasft(bundle, options=options)]
    if config.plain_python:
        found.append(contenders.plain(bundle, config.plain_python))
    if config.kserve_python:
        found.append(contenders.kserve(bundle, config.kserve_python, config.kserve_workers))
    if config.mlserver_python:
        wait = config.mlserver_batch_seconds
        found.append(contenders.mlserver(bundle, config.mlserver_python, config.mlserver_workers, wait))
    return found


def reviews(count: int) -> list[str]:
    """Reviews spread evenly over IMDb's test split."""
    if "KERASFT_DATA" not in os.environ:
        raise InputError("this benchmark needs real reviews", hint="Set KERASFT_DATA to the folder of data sets.")
    column = parquet.read_table(Path(os.environ["KERASFT_DATA"]) / "imdb/test.parquet", columns=["text"])["text"]
    return [column[int(row)].as_py() for row in np.linspace(0, len(column) - 1, count)]


def agree(servers: Servers, texts: list[str]) -> None:
    """Stops unless all give the same scores."""
    found = {
        name: np.array([one.scores(server.post(one.path, one.body(text))) for text in texts])
        for name, (one, server) in servers.items()
    }
    for name, scores in found.items():
        if np.abs(scores - found[contenders.KERASFT]).max() > 1e-5:
            sys.exit(f"{name} and {contenders.KERASFT} do not agree")


def load(one: Contender, server: ServerProcess, texts: list[str], **options: Any) -> Load:
    """A load of the reviews on a server."""
    return Load(port=server.port, path=one.path, bodies=[one.body(text) for text in texts], **options)


def measured(asked: Load, server: ServerProcess) -> dict[str, Any]:
    """What a client tells, and the server's processor time per request."""
    before = server.processor_seconds()
    result = ClientProcess(asked).result()
    answered = sum(result["statuses"].values()) * (asked.warm + asked.seconds) / asked.seconds
    result["server_microseconds"] = (server.processor_seconds() - before) / max(answered, 1) * 1e6
    server.settle()
    return result


def closed_loops(config: Config, servers: Servers, texts: list[str]) -> dict[str, float]:
    """Each connection asks again as soon as it is answered; the best median rate of each server."""
    found: dict[tuple[str, int], list[dict]] = {}
    for _ in range(config.rounds):
        for count in config.connections:
            for name, (one, server) in servers.items():
                asked = load(one, server, texts, connections=count, seconds=config.seconds, warm=1.0, expect=one.expect)
                found.setdefault((name, count), []).append(measured(asked, server))
    print(f"\nClosed loop, {config.rounds} rounds of {config.seconds:g} s: least, median, most; milliseconds: medians")
    print(
        f"{'':22}{'connections':>12}{'requests/s':>24}{'p50':>8}{'p95':>8}{'p99':>8}{'server':>10}{'client':>10}  other"
    )
    best: dict[str, float] = {}
    for (name, count), results in found.items():
        rates = [result["rate"] for result in results]
        best[name] = max(best.get(name, 0.0), float(np.median(rates)))
        spread = f"{min(rates):,.0f} {np.median(rates):,.0f} {max(rates):,.0f}"
        print(f"{name:22}{count:12}{spread:>24}{costs(results)}")
    return best


def costs(results: list[dict]) -> str:
    """Medians of milliseconds and of processor time per request; what was not a right answer."""
    times = [middle(results, key) for key in ("p50", "p95", "p99")]
    server, client = middle(results, "server_microseconds"), middle(results, "client_microseconds")
    return "".join(f"{time:8.2f}" for time in times) + f"{server:7.0f} us{client:7.0f} us  {others(results)}"


def middle(results: list[dict], key: str) -> float:
    """The median of what some turns found."""
    values = [result[key] for result in results if result[key] is not None]
    return float(np.median(values)) if values else float("nan")


def others(results: list[dict]) -> str:
    """Whatever was not answered by 200."""
    told: dict[str, int] = {}
    for result in results:
        for name, number in {**result["statuses"], **result["failures"]}.items():
            if name != "200" and number:
                told[name] = told.get(name, 0) + number
    return ", ".join(f"{number:,} x {name}" for name, number in told.items()) or "none"


def steady(config: Config, servers: Servers, texts: list[str], best: dict[str, float]) -> None:
    """Random arrivals at 80% of each server's best rate, and all at 80% of the slowest's."""
    print("\nOpen loop, Poisson arrivals; milliseconds from when a request was due: medians of the rounds")
    print(f"{'':22}{'asked/s':>12}{'answered/s':>24}{'p50':>8}{'p95':>8}{'p99':>8}{'server':>10}{'client':>10}  other")
    shared = 0.8 * min(best.values())
    for rates in ({name: 0.8 * rate for name, rate in best.items()}, dict.fromkeys(best, shared)):
        found = rounds(config, servers, texts, rates)
        for name, results in found.items():
            print(f"{name:22}{rates[name]:12,.0f}{middle(results, 'rate'):24,.0f}{costs(results)}")
        if len(servers) == 1:
            break


def rounds(config: Config, servers: Servers, texts: list[str], rates: dict[str, float]) -> dict[str, list[dict]]:
    """Open loops at a rate for each server, in turn."""
    found: dict[str, list[dict]] = {}
    for number in range(config.rounds):
        for name, (one, server) in servers.items():
            many = connections(rates[name])
            asked = load(
                one, server, texts, connections=many, rate=rates[name], seed=number,
                seconds=config.seconds, warm=1.0, expect=one.expect,
            )  # fmt: skip
            found.setdefault(name, []).append(measured(asked, server))
    return found


def connections(rate: float) -> int:
    """As many as are needed for half a second's requests, so that none waits for a free one."""
    return int(min(max(64, rate * 0.5), 4_096))


def overload(config: Config, servers: Servers, texts: list[str], best: dict[str, float]) -> None:
    """Three times what a server can do."""
    print("\nThree times the best rate; milliseconds from sending of those answered by 200, and of the refused")
    print(f"{'':22}{'asked/s':>10}{'answered/s':>12}{'p50':>9}{'p99':>9}{'429':>9}{'p99 of 429':>12}{'late':>8}  other")
    rates = {name: 3 * rate for name, rate in best.items()}
    for name, results in rounds(config, servers, texts, rates).items():
        refused = sum(result["statuses"].get("429", 0) for result in results)
        share = refused / sum(result["asked"] for result in results)
        rest = [{**result, "statuses": {**result["statuses"], "429": 0}} for result in results]
        told = others(rest)
        print(
            f"{name:22}{rates[name]:10,.0f}{middle(results, 'rate'):12,.0f}{middle(results, 'taken_p50'):9.1f}"
            f"{middle(results, 'taken_p99'):9.1f}{share:9.1%}{middle(results, 'refused_p99'):12.1f}"
            f"{middle(results, 'late_p99'):8.1f}  {told}"
        )


def soak(config: Config, one: Contender, server: ServerProcess, texts: list[str], rate: float) -> None:
    """Errors and memory over minutes."""
    seconds = config.soak * 60
    asked = load(one, server, texts, connections=connections(rate), rate=rate, seconds=seconds, expect=one.expect)
    client, times, memory = ClientProcess(asked), [], []
    began = time.monotonic()
    while client.running:
        times.append((time.monotonic() - began) / 60)
        memory.append(server.resident_megabytes())
        time.sleep(1)
    result = client.result()
    late = [place for place, minute in enumerate(times) if minute >= min(1.0, config.soak / 5)]
    slope = np.polyfit([times[place] for place in late], [memory[place] for place in late], 1)[0]
    print(
        f"\n{config.soak:g} minutes at {rate:,.0f} requests/s: {result['asked']:,} asked, not 200: {others([result])}"
    )
    print(f"p50 {result['p50']:.2f} p95 {result['p95']:.2f} p99 {result['p99']:.2f} most {result['max']:.1f} ms")
    print(
        f"resident memory {memory[0]:.1f} MB at first, {memory[late[0]]:.1f} once warm, {memory[-1]:.1f} at the end; "
        f"slope after that {slope:+.3f} MB a minute"
    )


def swap(config: Config, texts: list[str], rate: float) -> None:
    """Versions are published and deleted under load; no request may fail."""
    newest = max(int(path.name) for path in config.bundle.iterdir() if path.name.isdigit())
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "films"
        shutil.copytree(config.bundle / str(newest), bundle / "1")
        one = contenders.kerasft(bundle, infer=True)
        with one.start(Path(folder)) as server:
            asked = load(
                one, server, texts, connections=connections(rate), rate=rate, seconds=config.swap,
                expect=one.expect, mark='"model_version":"',
            )  # fmt: skip
            client, number = ClientProcess(asked), 1
            while client.running:
                time.sleep(2)
                shutil.copytree(bundle / str(number), bundle / f".{number + 1}")
                (bundle / f".{number + 1}").rename(bundle / str(number + 1))
                number += 1
                time.sleep(2)
                shutil.rmtree(bundle / str(number - 1))
            result = client.result()
    versions = ", ".join(f"{version}: {count:,}" for version, count in result["marks"].items())
    print(f"\nVersions published and deleted for {config.swap:g} s at {rate:,.0f} requests/s")
    print(f"{result['asked']:,} asked, not 200: {others([result])}; answered by version {versions}; ", end="")
    print(f"p50 {result['p50']:.2f} p99 {result['p99']:.2f} most {result['max']:.1f} ms")


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
