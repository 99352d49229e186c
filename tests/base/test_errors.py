from kerasft.base.errors import InputError, did_you_mean, nearest, shorten


def test_an_error_says_what_where_what_is_allowed_and_what_to_do():
    error = InputError("epochs is off", received=0, where="--epochs", allowed=[1, 2], hint="Say 1")
    assert str(error) == "epochs is off. Received: 0. Where: --epochs. Allowed: 1, 2. Say 1."


def test_none_is_a_value_that_can_be_received():
    assert "Received: None." in str(InputError("a label is missing", received=None))


def test_long_values_are_cut():
    assert len(shorten("x" * 10_000)) <= 200


def test_the_nearest_name_is_found_whatever_its_case():
    assert nearest("Sentimnt", ["text", "sentiment"]) == "sentiment"
    assert did_you_mean("zzz", ["text"]) is None
