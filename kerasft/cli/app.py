"""What every app does around its own work: quiet logs, one clear error, an exit status."""

import errno
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence

from kerasft.base.errors import InputError
from kerasft.base.memory import is_out_of_memory

USAGE, INTERRUPTED = 2, 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


def run_app(main: Callable[[Sequence[str]], None], arguments: Sequence[str] | None = None) -> int:
    """Runs an app's main function and turns a user's mistake into one message.

    Args:
        main: takes the command line's arguments.
        arguments: the arguments; default: those of this process.

    Returns:
        The exit status: 0; 2 after a user's mistake, on a full disk or without enough memory, which was told on
        standard error; 130 after Ctrl-C.

    Example:
        if __name__ == "__main__":
            sys.exit(run_app(main))
    """
    try:
        main(sys.argv[1:] if arguments is None else arguments)
    except InputError as error:
        tell_error(str(error))
        return USAGE
    except KeyboardInterrupt as interruption:
        tell_error(str(interruption) or "Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` for instance, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # numpy, TensorFlow and ONNX Runtime have no common parent for what is full
        if is_out_of_memory(error):
            tell_error(_memory_full(error))
        elif isinstance(error, OSError) and _is_full(error):
            tell_error(_disk_full(error))
        elif isinstance(error, OSError) and error.errno in _REFUSALS and error.filename is not None:
            tell_error(_refused(error))
        else:
            raise
        return USAGE
    return 0


def _is_full(error: OSError) -> bool:
    short = re.search(r"\d+ requested and \d+ written", str(error))  # numpy's own words, without a number
    return error.errno in _FULL or short is not None


def _disk_full(error: OSError) -> str:
    received = error.strerror or str(error)
    hint = "Make room; the same command with the same --run then goes on where it was stopped."
    return str(InputError("the disk is full", received=received, where=error.filename, hint=hint))


def _refused(error: OSError) -> str:
    what = "the system does not let this file or folder be read or written"
    hint = "Check its owner, its permissions and whether the path is right; what was done before is kept."
    return str(InputError(what, received=error.strerror, where=str(error.filename), hint=hint))


def _memory_full(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    received = next((line for line in lines if "alloc" in line), lines[0] if lines else type(error).__name__)
    hint = (
        "Free some, and the same command with the same --run goes on where it was stopped; or start a new run with "
        "shorter texts (--max-tokens), a smaller model or fewer rows at once"
    )
    return str(InputError("memory ran out", received=received, hint=hint))


def start_backend() -> None:
    """Imports TensorFlow and Keras and finds the devices, without their start-up notes on the terminal.

    TensorFlow writes some notes straight to the descriptor of standard error whatever the log level is, so that
    is turned aside for the length of the import; what was written comes back if the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("tensorflow", "tf2onnx", "absl", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow as tf

            tf.config.list_logical_devices()
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def tell_error(message: str) -> None:
    """Writes one message to standard error, wrapped to the terminal, in red where there is one."""
    from rich.text import Text

    from kerasft.base.terminal import terminal

    terminal(stderr=True).print(Text.assemble(("error: ", "bold red"), message))
