"""Minutes of load on a real server: nothing fails and memory stays."""

import json
import os
import sys
import time

import pytest

from benchmarks.serving_client import Load
from benchmarks.serving_process import ClientProcess, ServerProcess

MINUTES = float(os.environ.get("KERASFT_SOAK_MINUTES", "15"))
TEXTS = ["a quiet film", "", "no plot " * 200, "good music", "une élégie 電影 🎬", "moving " * 3_000]
PATH = "/v1/models/films:predict"


@pytest.mark.slow
def test_soak_at_four_fifths_of_the_best_rate(bundle, tmp_path):
    # What else the machine does may hold the server up for a while: that is no reason to refuse here.
    patient = ("--limits.queue-milliseconds", "10000")
    command = [sys.executable, "-m", "apps.serve", str(bundle), "--port", "{port}", *patient]
    bodies = [json.dumps({"instances": [text]}) for text in TEXTS]
    warm_seconds = min(60.0, MINUTES * 20)
    with ServerProcess(command, "/readyz", tmp_path / "log.txt") as server:
        asked = Load(server.port, PATH, bodies, connections=16, seconds=4.0, warm=1.0)
        best = min(ClientProcess(asked).result()["rate"] for _ in range(3))
        asked = Load(server.port, PATH, bodies, 128, MINUTES * 60, rate=0.8 * best, expect='"predictions"')
        client, began, memory = ClientProcess(asked), time.monotonic(), []
        while client.running:
            time.sleep(1)
            if time.monotonic() - began > warm_seconds:
                memory.append(server.resident_megabytes())
        result = client.result()
        status = server.stop()
    assert set(result["statuses"]) == {"200"}, result
    assert not any(result["failures"].values()), result
    assert result["asked"] > 0.7 * best * MINUTES * 60
    assert max(memory) < 1.05 * memory[0], (memory[0], max(memory), memory[-1])
    assert status == 0
