import pytest

from kerasft.base.memory import is_out_of_memory


class OutOfMemoryError(RuntimeError):  # torch's
    pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 40.0 GiB"),
        OutOfMemoryError("CUDA"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes."),
        RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : ... Failed to allocate memory for requested buffer"),
    ],
)
def test_libraries_say_it_in_their_own_ways(error):
    assert is_out_of_memory(error)


def test_other_faults_are_none_of_it():
    assert not is_out_of_memory(RuntimeError("shapes [64, 2] and [64, 3] do not fit"))
