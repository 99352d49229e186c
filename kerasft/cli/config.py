"""Options from dataclasses: on the command line, in a file, and back into the run folder."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import tyro
import yaml

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import atomic_file

Config = TypeVar("Config")
# Where a run lies and what it was read from do not say what it does; and a run whose export was refused for rounding
# goes on with a larger tolerance.
_SPARED = ("run", "config", "tolerance")
PUBLISHING = ("export", "baseline", "verify_rows", "int8")
"""Options that say what becomes of a trained model, not what is trained: a run may be gone on with under others."""


def parse(
    config_type: type[Config],
    arguments: Sequence[str],
    prog: str,
    sample: Mapping[str, Any] | None = None,
    suited: Callable[[dict[str, Any], Set[str]], Mapping[str, Any]] | None = None,
) -> Config:
    """Reads a config from the command line, on top of the file that `--config` names.

    Nested dataclasses are one flat set of options; docstrings of their fields are the help.

    Args:
        config_type: a frozen dataclass.
        arguments: the command line, without the program's name.
        prog: the command shown in the help.
        sample: options by name that suit the generated sample better than the defaults; they hold where the
            config's `data` is "sample" and nothing else is said.
        suited: gives such options for what was said, as `flat` has it, and the names of the options that were said.

    Returns:
        The config; what the command line says goes before what the file says.

    Raises:
        InputError: if the file is missing, is not a mapping or has an unknown key, or a value is refused by
            the dataclass.
        SystemExit: for `--help`, or an option that is not known (the nearest one is named).

    Example:
        config = parse(Config, ["--epochs", "3"], prog="python -m apps.imdb_lstm")
    """
    arguments = list(arguments)
    path = _config_path(arguments)
    if path is not None:
        arguments = _file_arguments(config_type, path, _named_options(arguments)) + arguments
    read = partial(_read, config_type, prog)
    config, named = read(arguments), _named_options(arguments)
    better = dict(sample or {}) if flat(config).get("data") == "sample" else {}
    better |= suited(flat(config), named) if suited is not None else {}
    if better:
        for name, value in better.items():
            if name not in named:
                arguments = _as_arguments(name, value, Path(prog)) + arguments
        config = read(arguments)
    return config


def _read(config_type: type[Config], prog: str, arguments: list[str]) -> Config:
    """What tyro makes of a command line; a mistake that a dataclass finds is told as all others are."""
    read = partial(tyro.cli, config_type, prog=prog, args=arguments, config=(tyro.conf.OmitArgPrefixes,))
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            return read()
    except SystemExit as stopped:
        error: BaseException | None = stopped
        while error is not None and not isinstance(error, InputError):
            error = error.__cause__ or error.__context__
    if error is not None:
        raise error
    return read()  # once more, to be read: the help, or an option that tyro does not know


def flat(config: Any) -> dict[str, Any]:
    """The fields of a config and of the configs inside it, as plain values by option name."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            values.update(flat(value))
        else:
            values[field.name] = str(value) if isinstance(value, Path) else value
    return values


def meaning(config: Any) -> dict[str, Any]:
    """What a config does, without where its run lies: what is written to config.yaml and compared."""
    return {name: value for name, value in flat(config).items() if name not in _SPARED}


def told(config: Any) -> dict[str, Any]:
    """`meaning` without options that had no effect beside others, for people: a report, a card, config.yaml.

    A config inside `config` says which by a method `idle`; such options always have their default.
    """
    parts = [getattr(config, field.name) for field in dataclasses.fields(config)]
    idle = {name for part in parts if hasattr(part, "idle") for name in part.idle()}
    return {name: value for name, value in meaning(config).items() if name not in idle}


def write_config(config: Any, path: Path, command: str) -> None:
    """Writes the resolved config as YAML, headed by the command that repeats the run."""
    with atomic_file(path, "w") as file:
        file.write(f"# {command} --config {path}\n")
        yaml.safe_dump(told(config), file, sort_keys=False, allow_unicode=True)


def read_config(path: Path) -> dict[str, Any]:
    """Reads a config file.

    Raises:
        InputError: if it is missing or not a YAML mapping.
    """
    if not path.is_file():
        raise InputError("the config file is missing", received=str(path), where="--config")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the config file is not YAML ({_one_line(error)})", where=str(path)) from None
    if not isinstance(values, dict):
        raise InputError("the config file must map options to values", received=values, where=str(path))
    return values


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))


def _config_path(arguments: list[str]) -> Path | None:
    for number, argument in enumerate(arguments):
        if argument == "--config" and number + 1 < len(arguments):
            return Path(arguments[number + 1])
        if argument.startswith("--config="):
            return Path(argument.removeprefix("--config="))
    return None


def _named_options(arguments: list[str]) -> set[str]:
    names = {argument[2:].split("=")[0].replace("-", "_") for argument in arguments if argument.startswith("--")}
    return names | {name.removeprefix("no_") for name in names}


def _file_arguments(config_type: type, path: Path, named: set[str]) -> list[str]:
    known = _option_names(config_type)
    arguments: list[str] = []
    for name, value in read_config(path).items():
        name = str(name)
        if name not in known:
            raise InputError(
                "the config file has an unknown key",
                received=name,
                where=str(path),
                hint=did_you_mean(name, known) or "See --help for the options there are.",
            )
        if name not in named:
            arguments += _as_arguments(name, value, path)
    return arguments


def _as_arguments(name: str, value: Any, path: Path) -> list[str]:
    option = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [option if value else "--no-" + option[2:]]
    if isinstance(value, (str, int, float)) or value is None:
        return [f"{option}={value}"]
    raise InputError("an option takes one value", received=value, where=f"{path}, key {name}")


def _option_names(config_type: type) -> set[str]:
    names: set[str] = set()
    for field in dataclasses.fields(config_type):
        inner = None if field.default_factory is dataclasses.MISSING else field.default_factory()
        names |= _option_names(type(inner)) if dataclasses.is_dataclass(inner) else {field.name}
    return names - set(_SPARED)
