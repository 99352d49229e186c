import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.sources.delimited import csv_part, tsv_part

FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
HARD = st.sampled_from(
    ['"', '""', "a,b", "x\ny", "x\r\ny", "\r", " ", "", "é🙂\u0301", '"x', 'x"', "\ufeff", "\x1c\u2028"]
)
ROWS = st.lists(st.tuples(FIELDS | HARD, FIELDS | HARD, FIELDS | HARD), max_size=12)


def read(part):
    return [tuple(row.values()) for batch in part.read() for row in batch.to_pylist()]


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


# The csv module of Python 3.11 leaves "\r" unquoted where lines end in "\n": nobody can read that back.
DIALECTS = st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")])
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


@QUICK
@given(rows=ROWS, dialect=DIALECTS)
def test_what_the_csv_module_writes_is_read_back(write, rows, dialect):
    quoting, end = dialect
    file = io.StringIO(newline="")
    csv.writer(file, quoting=quoting, lineterminator=end).writerows([("id", "text", "label"), *rows])
    assert read(csv_part("all", write("a.csv", file.getvalue()), [])) == rows


@QUICK
@given(rows=st.lists(st.tuples(FIELDS.map(lambda text: text.replace("\r", "\n")), st.just("x")), max_size=12))
def test_a_row_is_located_at_its_first_line(write, rows):
    file = io.StringIO(newline="")
    writer, starts = csv.writer(file, lineterminator="\n"), []
    for row in [("text", "label"), *rows]:
        starts.append(file.getvalue().count("\n") + 1)
        writer.writerow(row)
    path = write("a.csv", file.getvalue())
    part = csv_part("all", path, [])
    for number in range(len(rows)):
        assert part.where(number) == f"{path}:{starts[number + 1]} (row {number + 1})"


@pytest.mark.parametrize("packed", ["", ".gz", ".xz", ".zst"])
def test_every_packing_is_read(write, packed):
    rows = [(f"text {i}", "no" if i % 2 else "yes") for i in range(5000)]
    body = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    part = tsv_part("all", write("a.tsv" + packed, body), [])
    assert part.columns == ["text", "label"]
    assert read(part) == rows
    assert read(part) == rows


def test_in_tsv_quotes_are_text_but_round_a_field_quoted_as_in_csv(write):
    path = write("a.tsv", 'text\tlabel\n"open\t1\n"whole ""field"""\t2\n"a" or "b"\t3\nsay "x"\t4\n')
    assert read(tsv_part("all", path, [])) == [
        ('"open', "1"), ('whole "field"', "2"), ('"a" or "b"', "3"), ('say "x"', "4"),
    ]  # fmt: skip


def test_a_whole_number_for_a_column_says_that_there_is_no_header(write):
    path = write("a.tsv", "good\tpositive\nbad\tnegative\n")
    part = tsv_part("all", path, ["0", "1"])
    assert part.columns == ["0", "1"]
    assert read(part) == [("good", "positive"), ("bad", "negative")]
    assert part.where(1) == f"{path}:2 (row 2)"
    headed = csv_part("all", write("b.csv", "0,1\ngood,positive\n"), ["0", "1"])
    assert read(headed) == [("good", "positive")]


def test_a_byte_order_mark_and_nameless_columns_are_no_trouble(write):
    part = csv_part("all", write("a.csv", b"\xef\xbb\xbf,text\r\n0,fine\r\n"), [])
    assert part.columns == ["unnamed 0", "text"]
    assert read(part) == [("0", "fine")]


def test_an_empty_file_is_refused(write):
    for content in ("", "\n\n"):
        path = write("a.csv", content)
        assert message(lambda path=path: csv_part("all", path, [])) == (
            f"the file is empty. Received: '0 rows'. Where: {path}. "
            "Write rows to it: a header that names the columns, and rows below."
        )


def test_a_column_named_twice_is_refused(write):
    path = write("a.csv", "text,label,text\n")
    assert message(lambda: csv_part("all", path, [])) == (
        f"the header names a column twice. Received: 'text'. Where: {path}. Allowed: text, label, text."
    )


def test_a_ragged_row_is_told_with_line_row_and_fields(write):
    path = write("a.csv", 'text,label\n"one\nrow",yes\n\nno label\n')
    assert message(lambda: read(csv_part("all", path, []))) == (
        f"a row has too few fields. Received: '1 fields'. Where: {path}:5 (row 2). Allowed: 2 fields, as in the header."
        " A comma, quote or line break inside a field needs the field in double quotes."
    )
    path = write("b.tsv.gz", "good\tyes\nbad\tno\tindeed\n")
    assert message(lambda: read(tsv_part("all", path, ["0"]))) == (
        f"a row has too many fields. Received: '3 fields'. Where: {path}:2 (row 2). Allowed: 2 fields,"
        " as in the first row. A tab inside a field is not allowed in tsv."
    )


def test_a_ragged_row_far_down_keeps_its_number(write):
    path = write("a.csv", "text,label\n" + "a long enough text of some words,yes\n" * 400_000 + "x,y,z\n")
    assert f"Where: {path}:400002 (row 400001)." in message(lambda: read(csv_part("all", path, [])))


@pytest.mark.parametrize("rows", [0, 300_000])
def test_a_byte_that_is_not_utf8_is_told_with_its_offset(write, rows):
    before = b"text,label\n" + "caf\u00e9,yes\n".encode() * rows + b"caf"
    path = write("a.csv", before + b"\xe9,no\n")
    assert message(lambda: read(csv_part("all", path, []))) == (
        f"the file is not UTF-8. Received: b'\\xe9,no'. Where: {path}:{rows + 2}, byte {len(before)} (counted from 0)."
        " Save it as UTF-8: iconv -f LATIN1 -t UTF-8."
    )


def test_utf16_is_named(write):
    path = write("a.csv", "text,label\n".encode("utf-16"))
    assert message(lambda: csv_part("all", path, [])).endswith(
        f"Where: {path}:1, byte 0 (counted from 0). Save it as UTF-8: iconv -f UTF-16 -t UTF-8."
    )


def test_a_quote_left_open_is_refused(write):
    path = write("a.csv", 'label,text\nyes,fine\nno,"it never ends\nyes,fine\n')
    assert message(lambda: read(csv_part("all", path, []))) == (
        "a double quote is left open and takes in the rest of the file. Received: 'it never ends\\nyes,fine\\n'."
        f" Where: {path}:3 (row 2). Double a quote that belongs to the text."
    )
    path = write("b.csv", 'label,text\nno,"it never ends\n' + "yes,fine\n" * 2_400_000)
    assert message(lambda: read(csv_part("all", path, []))) == (
        f"a row is longer than 8 MB: is a double quote left open. Where: {path} (below row 0)."
        " Double a quote that belongs to the text."
    )


@pytest.mark.parametrize("packed", [".gz", ".xz", ".zst"])
def test_a_packed_file_cut_short_is_refused(write, packed):
    whole = write("a.csv" + packed, "text,label\n" + "".join(f"text {i * 7919 % 10007},yes\n" for i in range(200_000)))
    path = whole.with_name("b.csv" + packed)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert "a compressed file is damaged or cut short. Received: " in message(lambda: read(csv_part("all", path, [])))
