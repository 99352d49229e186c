import gzip
import struct

import pytest
from vector_toys import make_vectors

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files import read_vectors, write_vectors

LINES = "the 1 2 3\nof 4 5 6\nand 7 8 9\n"


def told(file, content: bytes | str, **options) -> str:
    """The error's text with FILE for the file's name."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read_vectors(file, **options)
    return str(error.value).replace(str(file), "FILE")


@pytest.mark.parametrize("header", ["", "4 3\n"])
@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "in 1 2",
            "a line has too few numbers after its word. Received: 2. "
            "Where: FILE, line N. Allowed: 3, as most lines have.",
        ),
        (
            "in",
            "a line has too few numbers after its word. Received: 0. "
            "Where: FILE, line N. Allowed: 3, as most lines have.",
        ),
        (
            "in 1 2 3 4",
            "a line has too many numbers after its word. Received: 4. "
            "Where: FILE, line N. Allowed: 3, as most lines have.",
        ),
        ("in 1 two 3", "a number cannot be read. Received: 'two'. Where: FILE, line N."),
        ("in 1 1_0 3", "a number cannot be read. Received: '1_0'. Where: FILE, line N."),
        (
            "in 1 nan 3",
            "a number is not finite. Received: 'nan'. Where: FILE, line N. Allowed: -3.403e+38 to 3.403e+38.",
        ),
        (
            "in 1 -inf 3",
            "a number is not finite. Received: '-inf'. Where: FILE, line N. Allowed: -3.403e+38 to 3.403e+38.",
        ),
        (
            "in 1 1e39 3",
            "a number is not finite. Received: '1e39'. Where: FILE, line N. Allowed: -3.403e+38 to 3.403e+38.",
        ),
        ("", "an empty line among word vectors. Where: FILE, line N."),
        (" 1 2 3", "a line begins without a word. Received: b' 1 2 3'. Where: FILE, line N."),
        (b"i\xff 1 2 3", "this is not UTF-8. Received: b'\\xff'. Where: FILE, line N, byte 2 of the line."),
        (b"x i\xff 1 2 3", "this is not UTF-8. Received: b'\\xff'. Where: FILE, line N, byte 4 of the line."),
    ],
)
def test_a_broken_line_is_named(tmp_path, header, line, text):
    line = line if isinstance(line, bytes) else line.encode()
    content = header.encode() + b"the 1 2 3\nof 4 5 6\n" + line + b"\nand 7 8 9\n"
    assert told(tmp_path / "v", content) == text.replace("line N", f"line {4 if header else 3}")


@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_a_word_with_two_vectors_is_named_with_both_lines(tmp_path, header):
    first = 2 if header else 1
    assert told(tmp_path / "v", header + LINES + "of 4 5 6\n") == (
        f"a word has two vectors. Received: 'of'. Where: FILE, lines {first + 1} and {first + 3}. Take one of them out."
    )


def test_a_wrong_header(tmp_path):
    file = tmp_path / "v"
    assert (
        told(file, "2 3\n" + LINES) == "the header says 2 words, but the file goes on after them. Where: FILE, line 4."
    )
    assert told(file, "5 3\n" + LINES) == (
        "the file ends after 3 of the 5 words that its header says. Where: FILE. Download or copy it again."
    )
    assert told(file, "3 4\n" + LINES) == (
        "the header says 4 numbers for each word, but most lines have 3. Where: FILE, line 1."
    )
    zero = "the header must say how many words and how many numbers for each. Received: '{}'. Where: FILE, line 1."
    assert told(file, "0 3\n") == zero.format("0 3")
    assert told(file, "3 0\n" + LINES) == zero.format("3 0")
    assert told(file, "3 3\n").startswith("the file ends after 0 of the 3 words")
    assert told(file, "3 three\n" + LINES).startswith(
        "a line has too few numbers after its word. Received: 0. Where: FILE, line 1."
    )


def test_files_that_hold_no_vectors(tmp_path):
    file = tmp_path / "v"
    assert told(file, "") == "the file is empty. Where: FILE."
    assert told(file, gzip.compress(b"")) == "the file is empty. Where: FILE."
    assert told(file, "text,label\ngood film,1\n") == (
        "these are no word vectors: most lines do not end with numbers. Received: 'text,label'. Where: FILE, line 1."
    )
    assert told(file, b"x" * (5 << 20)).startswith("this is no text: a line does not end. Where: FILE")
    assert told(file, "\n\n").startswith("these are no word vectors")
    assert told(file, LINES, limit=0) == "limit must be at least 1. Received: 0."
    with pytest.raises(InputError, match="there is no such file"):
        read_vectors(tmp_path / "absent")
    with pytest.raises(InputError, match="there is no such file"):
        read_vectors(tmp_path)


@pytest.mark.parametrize("format", ["word2vec", "glove", "word2vec-binary"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_compressed_file_that_is_cut_short(tmp_path, format, share):
    write_vectors(make_vectors(2000), tmp_path / "whole.gz", format)
    whole = (tmp_path / "whole.gz").read_bytes()
    message = told(tmp_path / "v", whole[: int(share * len(whole))])
    assert message.startswith("the compressed file is damaged or cut short (")
    assert message.endswith("Where: FILE. Download or copy it again.")


def test_a_compressed_file_that_is_damaged(tmp_path):
    whole = bytearray(gzip.compress(LINES.encode()))
    whole[-6] ^= 1  # of the checksum
    assert told(tmp_path / "v", bytes(whole)).startswith(
        "the compressed file is damaged or cut short (CRC check failed"
    )


def binary(*rows: tuple[bytes, list[float]], header: str) -> bytes:
    return header.encode() + b"".join(
        word + b" " + struct.pack(f"<{len(numbers)}f", *numbers) for word, numbers in rows
    )


def test_broken_binary_files(tmp_path):
    file, good, bad = tmp_path / "v", (b"good", [0.1, 0.2, 0.3]), (b"bad", [0.3, 0.1, 0.7])
    cut = "the file ends after {} of the {} words that its header says. Where: FILE. Download or copy it again."
    assert told(file, binary(good, bad, header="2 3\n")[:-1]) == cut.format(1, 2)
    assert told(file, binary(good, bad, header="3 3\n")) == cut.format(2, 3)
    assert told(file, binary(good, bad, header="1 3\n")).startswith(
        "the header says 1 words, and the file goes on after them. Received: b'bad "
    )
    assert told(file, binary(good, bad, good, header="3 3\n")) == (
        "a word has two vectors. Received: 'good'. Where: FILE, vectors 1 and 3. Take one of them out."
    )
    assert told(file, binary(good, (b"bad", [0.3, float("nan"), 1]), header="2 3\n")) == (
        "the vector of 'bad' has a number that is not finite. Where: FILE, vector 2."
    )
    assert told(file, binary(good, (b"b\xff", [1, 2, 3]), header="2 3\n")) == (
        "a word is not UTF-8: b'b\\xff'. Where: FILE, vector 2."
    )
    assert told(file, binary(good, (b"", [1, 2, 3]), header="2 3\n")) == "a vector has no word. Where: FILE, vector 2."
    endless = binary(good, header="2 3\n") + b"x" * 20_000
    assert told(file, endless) == "a word does not end. Where: FILE, vector 2."
