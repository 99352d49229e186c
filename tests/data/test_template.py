import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.data.template import Template

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="{}:!\x00"), min_size=1, max_size=6).filter(str.strip)
LITERALS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
VALUES = st.text(st.characters(codec="utf-8"), max_size=4)


def message(call):
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


def escaped(literal):
    return literal.replace("{", "{{").replace("}", "}}")


@given(st.lists(st.tuples(LITERALS, NAMES), min_size=1, max_size=4), LITERALS, st.data())
def test_a_template_fills_as_its_parts_say(parts, end, data):
    source = "".join(escaped(literal) + "{" + name + "}" for literal, name in parts) + escaped(end)
    template = Template.parse(source, "--image")
    assert template.fields == list(dict.fromkeys(name for _, name in parts))
    row = {name: data.draw(VALUES) for name in template.fields}
    expected = "".join(literal + row[name] for literal, name in parts) + end if all(row.values()) else None
    assert template.fill(pa.RecordBatch.from_pylist([row])).to_pylist() == [expected]


@given(st.text("ab {}:![]", max_size=12))
def test_whatever_is_written_is_a_template_or_a_clear_error(source):
    try:
        template = Template.parse(source, "--image")
    except InputError as error:
        said = str(error)
    else:
        assert template.fields
        assert all("{" + field + "}" in source for field in template.fields)
        return
    assert "Where: --image. Allowed: names of columns in braces" in said


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("photo.jpg", "a template names no column. Received: 'photo.jpg'."),
        ("{id.jpg", "a template cannot be read. Received: '{id.jpg'."),
        ("{}.jpg", "a template takes bare names only. Received: '{}.jpg'."),
        ("{id:05d}.jpg", "a template takes bare names only."),
        ("{id!r}.jpg", "a template takes bare names only."),
    ],
)
def test_what_is_no_template_is_refused(source, told):
    said = message(lambda: Template.parse(source, "--image"))
    assert said.startswith(told)
    assert said.endswith('such as "photos/{id}.jpg"; {{ and }} stand for braces.')


def test_a_dot_or_bracket_is_part_of_the_name_and_reaches_no_attribute():
    template = Template.parse("{a.__class__}{b[0]}", "--image")
    assert template.fields == ["a.__class__", "b[0]"]
    assert Template.parse("{{{id}}}", "--image").fill(pa.record_batch({"id": ["7"]})).to_pylist() == ["{7}"]


def test_an_unknown_name_is_answered_with_the_nearest():
    assert message(lambda: Template.parse("{idd}.jpg", "--image").check(["id", "name"], "a.csv")) == (
        "the template '{idd}.jpg' names a column that is not there. Received: 'idd'. Where: a.csv."
        " Allowed: id, name. Did you mean 'id'?"
    )


def test_whole_floats_lose_their_fraction_and_lists_are_refused():
    rows = pa.record_batch({"id": [7.0, None], "tags": [["a"], []]})
    assert Template.parse("{id}.jpg", "").fill(rows).to_pylist() == ["7.jpg", None]
    assert message(lambda: Template.parse("{tags}.jpg", "").fill(rows)) == (
        "the template '{tags}.jpg' names a column that holds neither text nor whole numbers."
        " Received: 'tags: list<item: string>'."
    )
