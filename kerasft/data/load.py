"""`load`: from a spec to rows that are split, checked and memory-mapped."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from kerasft.data.draft import LABELLED, Draft
from kerasft.data.rows import Rows
from kerasft.data.rules import Rule
from kerasft.data.sources import Source, open_source
from kerasft.data.splits import check_fractions
from kerasft.data.template import Template
from kerasft.data.wanted import Wanted


def load(
    spec: str,
    *,
    inputs: Sequence[str] = ("text",),
    text_column: str | None = None,
    image_column: str | None = None,
    image: str | None = None,
    audio_column: str | None = None,
    audio: str | None = None,
    tabular: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    label_column: str | None = None,
    files: str | Path | None = None,
    split_column: str | None = None,
    validation_where: str | None = None,
    test_where: str | None = None,
    min_label_rows: int = 0,
    train_rows: int | None = None,
    label_required: bool = True,
    seed: int = 0,
    cache: str | Path,
    validation: float = 0.1,
    test: float = 0.1,
    drop_leaks: bool = False,
) -> Rows:
    """Loads labelled rows of texts, images, sounds and records from any source, split and checked.

    Splits that the source has are kept. Without a test split, its validation split becomes the test split
    (figures are then those that others report on it), or a seeded share of the rows that has every label of the
    first target in proportion; without a validation split, such a share of train.

    Rows with no label are dropped and counted. Rows with none of the inputs are dropped and counted; where text
    is the only input, they stay in a test or validation split of the source's own, as a model must answer them
    too. Repeated and leaked rows are counted by exact equality of all inputs.

    Args:
        spec: "sample" or "sample:multimodal"; "csv:", "tsv:", "jsonl:" or "parquet:" and a file, a glob or a
            folder with files named train, validation, test, unsup; "folder:" and a folder of split/label/FILE,
            where FILE is a .txt, or an image or sound if that is the only input; "tfds:" and a name.
        inputs: any of "text", "image", "audio" and "tabular". Default text alone.
        text_column: the text's column; None takes the first usual name ("text", "review", ...). In a csv or
            tsv file a whole number counts columns from 0 and says that there is no header row.
        image_column: the column of the images' file names, or of their bytes (binary, or Hugging Face's record
            of bytes and path); None takes a usual name ("image", "photo", ...).
        image: a template for the file names instead, such as "photos/{id}.jpg".
        audio_column: as `image_column`, for sounds.
        audio: as `image`, for sounds.
        tabular: the columns of the records; None takes all that nothing else uses, but those that number the
            rows. Columns that hold only finite numbers in train are numbers, the others categories.
        targets: the columns to predict, each a classification. A row needs one of them.
        label_column: the label's column, where there is one target ("label", "sentiment", ...); it is then called
            "label". Labels become strings.
        files: the folder, .zip, .tar, .tar.gz, .tgz or .tar.xz that file names are relative to. Default: the
            source file's own folder.
        split_column: a column that says train, validation, test or unsup; None takes one named "split".
        validation_where: a rule that says which rows are the validation split, such as "id % 10 == 1".
        test_where: likewise for the test split, such as "id % 10 == 0" or "speaker == theo".
        min_label_rows: labels with fewer train rows count as missing everywhere. Default 0.
        train_rows: keep only so many of the train rows, drawn by the seed, every label of the first target in
            proportion; the other splits stay whole, and are the same for any number. Default None: all.
        label_required: False also takes rows and files without labels. Default True.
        seed: for the splits that are made here. Default 0.
        cache: folder for the converted, memory-mapped files; a second load of unchanged files is quick.
        validation: share of rows for a validation split that the source lacks. Default 0.1.
        test: share of rows for a test split that the source lacks. Default 0.1.
        drop_leaks: removes from train the rows whose inputs are in test or validation. Default False.

    Returns:
        The rows.

    Raises:
        InputError: for whatever is wrong with the data, with the place where it is.

    Example:
        >>> rows = load("sample", cache=getfixture("tmp_path"))
        >>> len(rows.train), rows.labels, rows.train["label"][0] in rows.labels
        (2800, ['negative', 'positive'], True)
    """
    columns = {"text": text_column, "image": image_column, "audio": audio_column}
    templates = {"image": image, "audio": audio}
    rules = {"test": test_where, "validation": validation_where}
    wanted = Wanted(
        inputs=tuple(inputs),
        columns={name: column for name, column in columns.items() if column is not None},
        templates={name: Template.parse(text, f"--{name}") for name, text in templates.items() if text is not None},
        tabular=None if tabular is None else tuple(tabular),
        targets=None if targets is None else tuple(targets),
        label_column=label_column,
        label_required=label_required,
        files=None if files is None else Path(files),
        split_column=split_column,
        rules={split: Rule.parse(text, f"--{split}-where") for split, text in rules.items() if text is not None},
        min_label_rows=min_label_rows,
    )
    check_fractions(validation, test)
    source = open_source(spec, wanted.names(), wanted.inputs)
    return assemble(
        source,
        wanted,
        Path(cache),
        seed=seed,
        validation=validation,
        test=test,
        drop_leaks=drop_leaks,
        train_rows=train_rows,
    )


def assemble(
    source: Source,
    wanted: Wanted,
    cache: Path,
    *,
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.1,
    drop_leaks: bool = False,
    train_rows: int | None = None,
) -> Rows:
    """The rows of a source that is open, split and checked; see `load`."""
    draft = Draft(source, wanted, cache)
    draft.drop_bad_rows()
    draft.count(itertools.combinations([split for split in LABELLED if split in draft.rows], 2))
    if drop_leaks:
        draft.drop_leaks(["validation", "test"])
    made = draft.divide(seed, validation, test)
    draft.count([(a, b) for a, b in itertools.combinations(LABELLED, 2) if a in made or b in made])
    if drop_leaks:
        draft.drop_leaks(made)
    if train_rows is not None:
        draft.keep_train(train_rows, seed + 2)
        draft.count([(a, b) for a, b in itertools.combinations(LABELLED, 2)])
    return draft.finish(drop_leaks)
