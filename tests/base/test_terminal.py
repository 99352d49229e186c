"""What a user's data hold is shown as it is."""

from kerasft.base.terminal import terminal


def test_brackets_are_no_markup(capsys):
    terminal().print("label [/b], token [PAD]")
    terminal(stderr=True).print("in [red]")
    assert capsys.readouterr() == ("label [/b], token [PAD]\n", "in [red]\n")
