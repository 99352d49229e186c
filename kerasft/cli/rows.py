"""From options to rows; neither TensorFlow nor Keras is loaded, so that a mistake in the data is told at once."""

from pathlib import Path
from typing import Any

from kerasft.cli.media_options import InputOptions
from kerasft.cli.options import DataOptions


def load_rows(
    options: DataOptions, wanted: InputOptions, seed: int, cache: Path, sample_spec: str = "sample:multimodal"
) -> Any:
    """The rows of the data that the options name, with the inputs and targets they name; of `sample_spec` for
    "sample"."""
    from kerasft import data

    sample = options.data == "sample"
    names = wanted.names(sample)
    columns = {  # those of inputs that --inputs leaves out stay in the command, so that one option tries another set
        "text": {"text_column": options.text_column},
        "image": {"image_column": wanted.image_column, "image": wanted.image},
        "audio": {"audio_column": wanted.audio_column, "audio": wanted.audio},
        "tabular": {"tabular": wanted.tabular_columns()},
    }
    media = "image" in names or "audio" in names
    return data.load(
        sample_spec if sample else options.data,
        inputs=names,
        **{option: value for name in names for option, value in columns[name].items()},
        files=wanted.files if media else None,
        label_column=options.label_column,
        targets=wanted.target_names(),
        split_column=options.split_column,
        test_where=options.test_where,
        validation_where=options.validation_where,
        min_label_rows=wanted.min_label_rows,
        train_rows=options.train_rows,
        drop_leaks=options.drop_leaks,
        seed=seed,
        cache=cache,
    )
