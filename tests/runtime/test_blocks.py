"""Blocks of rows: in this process, after pickling, and on two workers of Ray where that is installed."""

import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from kerasft.base.errors import InputError
from kerasft.runtime import blocks
from kerasft.runtime.blocks import BlockScorer

ROOT = Path(__file__).parents[2]

# Four cores by Ray's count: two for the workers that answer, and others to read and write beside them.
ON_RAY = """
import sys
import ray
from kerasft.runtime.blocks import BlockScorer
bundle, source, target, place = sys.argv[1:]
ray.init(num_cpus=4, include_dashboard=False, _temp_dir=place, _node_ip_address="127.0.0.1", logging_level="ERROR",
         object_store_memory=100_000_000, log_to_driver=False)
ray.data.DataContext.get_current().enable_progress_bars = False
rows = ray.data.read_parquet(source, override_num_blocks=6)
rows = rows.map_batches(BlockScorer, fn_constructor_args=(bundle,), batch_size=16, concurrency=2, num_cpus=1)
rows.write_parquet(target)
ray.shutdown()
"""


def block(texts):
    return {"id": np.arange(len(texts)), "text": np.array(texts, object)}


def test_answers_stand_beside_the_rows(bundle, predictor):
    found = pickle.loads(pickle.dumps(BlockScorer(bundle)))(block(["a quiet film", None, " ", "good music", np.nan]))
    assert list(found) == ["id", "text", "label", "score_bad", "score_fair", "score_good", "error"]
    first, last = predictor(["a quiet film", "good music"])
    assert found["label"].tolist() == [first["label"], "", "", last["label"], ""]
    assert found["score_good"][3] == pytest.approx(last["scores"]["good"], abs=1e-6)
    assert np.isnan(found["score_bad"]).tolist() == [False, True, True, False, True]
    assert found["error"].tolist() == ["", "missing text", "empty text", "", "missing text"]
    assert (found["score_bad"].dtype, found["label"].dtype) == (np.float64, object)


def test_names_that_are_taken_and_rows_without_any_answer(bundle):
    found = BlockScorer(bundle, columns={"text": "label"})({"label": np.array(["", ""], object)})
    assert list(found) == ["label", "predicted_label", "score_bad", "score_fair", "score_good", "error"]
    assert found["predicted_label"].tolist() == ["", ""]
    assert BlockScorer(bundle)(block([]))["error"].tolist() == []


def test_the_bundle_is_opened_once(bundle, monkeypatch):
    blocks._opened.cache_clear()
    opened = []
    real = blocks.Predictor
    monkeypatch.setattr(blocks, "Predictor", lambda *arguments: opened.append(arguments) or real(*arguments))
    scorer = BlockScorer(bundle)
    for copy in (scorer, scorer, pickle.loads(pickle.dumps(scorer))):
        copy(block(["a film"]))
    assert opened == [(str(bundle), 1, None)]
    blocks._opened.cache_clear()


def test_a_wrong_column(bundle):
    with pytest.raises(InputError, match=r"the file has no such column\. Received: 'text'\. Where: block\."):
        BlockScorer(bundle)({"id": np.arange(2), "review": np.array(["a", "b"])})


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'kerasft[scale]'"
)
def test_on_two_workers_of_ray(bundle, tmp_path):
    texts = [None if number % 9 == 4 else "a quiet film " * (number % 4 + 1) for number in range(100)]
    pyarrow.parquet.write_table(pyarrow.table(block(texts)), tmp_path / "new.parquet", row_group_size=20)
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as place:  # a short path, for sockets
        command = [sys.executable, "-c", ON_RAY, str(bundle), str(tmp_path / "new.parquet"), str(tmp_path / "s"), place]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
    assert done.returncode == 0, done.stderr
    found = pyarrow.parquet.read_table(tmp_path / "s").sort_by("id").to_pydict()
    assert found["id"] == list(range(100))
    wanted = BlockScorer(bundle)(block(texts))
    assert found["label"] == wanted["label"].tolist()
    assert found["error"] == wanted["error"].tolist()
    np.testing.assert_allclose(found["score_bad"], wanted["score_bad"], atol=1e-6)
