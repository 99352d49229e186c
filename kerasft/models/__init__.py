"""Functional builders: a dict of named arrays in, a dict of named arrays out, on keras and keras.ops alone."""

from kerasft.models.lstm import lstm_classifier

__all__ = ["lstm_classifier"]
