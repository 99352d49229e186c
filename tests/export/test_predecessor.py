"""What is said of the version that a new one follows."""

import pytest

from kerasft.export.predecessor import other_answers
from kerasft.tasks import Classification, Targets


@pytest.mark.parametrize("deep", [False, True])
def test_other_labels_than_those_of_the_version_before_are_told(published, deep):
    target = published.path if deep else published.path.parent
    assert other_answers(target, Classification(["positive", "negative"]).to_json()) is None
    assert other_answers(target, Classification(["ham", "spam"]).to_json()) == (
        f"version 1 in {target} answers with other labels (negative, positive): whatever serves that folder will "
        "answer with the new ones. Name another --export to keep both."
    )
    several = Targets({"tone": Classification(["negative", "positive"], target="tone")})
    assert "answers with other labels" in other_answers(target, several.to_json())


def test_nothing_is_said_of_what_is_no_bundle(tmp_path):
    (tmp_path / "1").mkdir()
    for target in (tmp_path, tmp_path / "nowhere"):
        assert other_answers(target, Classification(["ham", "spam"]).to_json()) is None
