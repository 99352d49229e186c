"""`load`: from a spec to rows that are split, checked and memory-mapped."""

import itertools
from pathlib import Path

from kerasft.data.draft import LABELLED, Draft
from kerasft.data.rows import Rows
from kerasft.data.sources import open_source
from kerasft.data.splits import check_fractions


def load(
    spec: str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    label_required: bool = True,
    seed: int = 0,
    cache: str | Path,
    validation: float = 0.1,
    test: float = 0.1,
    drop_leaks: bool = False,
) -> Rows:
    """Loads labelled texts from any source, split and checked.

    Splits that the source has are kept. Without a test split, its validation split becomes the test split
    (figures are then those that others report on it), or a seeded share of the rows that has every label in
    proportion; without a validation split, such a share of train.

    Rows with no label are dropped and counted. Rows with empty text are dropped and counted, but in a test
    or validation split of the source's own, where a model must answer them too. Repeated and leaked texts
    are counted by exact equality.

    Args:
        spec: "sample"; "csv:", "tsv:", "jsonl:" or "parquet:" and a file, a glob or a folder with files named
            train, validation, test, unsup; "folder:" and a folder of split/label/*.txt; "tfds:" and a name.
        text_column: the text's column; None takes the first usual name ("text", "review", ...). In a csv or
            tsv file a whole number counts columns from 0 and says that there is no header row.
        label_column: the label's column, likewise ("label", "sentiment", ...). Labels become strings.
        label_required: False also takes rows and files without labels. Default True.
        seed: for the splits that are made here. Default 0.
        cache: folder for the converted, memory-mapped files; a second load of unchanged files is quick.
        validation: share of rows for a validation split that the source lacks. Default 0.1.
        test: share of rows for a test split that the source lacks. Default 0.1.
        drop_leaks: removes from train the rows whose text is in test or validation. Default False.

    Returns:
        The rows.

    Raises:
        InputError: for whatever is wrong with the data, with the place where it is.

    Example:
        >>> rows = load("sample", cache=getfixture("tmp_path"))
        >>> len(rows.train), rows.labels, rows.train["label"][0] in rows.labels
        (2800, ['negative', 'positive'], True)
    """
    check_fractions(validation, test)
    source = open_source(spec, [name for name in (text_column, label_column) if name is not None])
    draft = Draft(source, text_column, label_column, label_required, Path(cache))
    draft.drop_bad_rows()
    draft.count(itertools.combinations([split for split in LABELLED if split in draft.rows], 2))
    if drop_leaks:
        draft.drop_leaks(["validation", "test"])
    made = draft.divide(seed, validation, test)
    draft.count([(a, b) for a, b in itertools.combinations(LABELLED, 2) if a in made or b in made])
    if drop_leaks:
        draft.drop_leaks(made)
    return draft.finish(drop_leaks)
