"""TensorFlow Datasets for real: a small set is defined, prepared and read here."""

import os

import numpy as np
import pytest

from kerasft.base.errors import InputError

# Set before the first import: TensorFlow reads it once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tfds = pytest.importorskip("tensorflow_datasets")


class TinyReviews(tfds.core.GeneratorBasedBuilder):
    """A dozen reviews."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["neg", "pos"]),
            "stars": tfds.features.Scalar(np.int32),
            "ids": tfds.features.Sequence(tfds.features.Scalar(np.int32)),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._rows(20), "test": self._rows(6), "unsupervised": self._rows(3, labelled=False)}

    def _rows(self, n, labelled=True):
        for i in range(n):
            label = i % 2 if labelled else -1
            yield i, {"text": f"café {n} {i}", "label": label, "stars": i, "ids": [i, i]}

    def _generate_examples(self):
        return iter(())


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    builder = TinyReviews(data_dir=tmp_path / "tfds", file_format="tfrecord")
    builder.download_and_prepare()


@pytest.mark.usefixtures("prepared")
def test_splits_and_label_names_are_the_catalogue_s(load_here):
    rows = load_here("tfds:tiny_reviews")
    assert rows.labels == ["neg", "pos"]
    assert rows.checks["rows"] == {"train": 18, "validation": 2, "test": 6, "unsup": 3}
    assert sorted(rows.test["text"]) == [f"café 6 {i}" for i in range(6)]
    assert all(
        label == ("neg", "pos")[stars % 2] for label, stars in zip(rows.test["label"], rows.test["stars"], strict=True)
    )
    assert rows.test.columns == ["text", "label", "stars"]
    assert set(rows.unsup["label"]) == {None}
    assert load_here("tfds:tiny_reviews:1.0.0").fingerprint == rows.fingerprint


@pytest.mark.usefixtures("prepared")
def test_a_wrong_column_names_the_features(load_here):
    with pytest.raises(
        InputError, match=r"Received: 'txt'\. Where: tfds:tiny_reviews/1\.0\.0 train\..*Did you mean 'text'"
    ):
        load_here("tfds:tiny_reviews", text_column="txt")


def test_an_unknown_name_is_answered_with_the_nearest(load_here):
    with pytest.raises(InputError) as error:
        load_here("tfds:imdb_review")
    assert str(error.value) == (
        "tensorflow-datasets knows no such data set. Received: 'imdb_review'. Did you mean 'imdb_reviews'?"
    )


def test_without_network_the_sources_that_work_are_named(load_here, tmp_path, monkeypatch):
    def no_network(self, **_):
        raise ConnectionError("Name or service not known")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(TinyReviews, "download_and_prepare", no_network)
    with pytest.raises(InputError) as error:
        load_here("tfds:tiny_reviews")
    assert str(error.value) == (
        f"tiny_reviews is not prepared in {tmp_path / 'none' / 'tiny_reviews'} and could not be downloaded. Received:"
        " 'ConnectionError: Name or service not known'. Without network these work: sample, csv:, tsv:, jsonl:,"
        " parquet:, folder:, and tfds: of a data set that is prepared already; TFDS_DATA_DIR names the folder where."
    )
