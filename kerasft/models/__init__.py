"""Functional builders: a dict of named arrays in, a dict of named arrays out, on keras and keras.ops alone."""

from kerasft.models.audio_branch import AudioBranch
from kerasft.models.branch import Branch
from kerasft.models.fusion import fusion_classifier
from kerasft.models.image_branch import ImageBranch
from kerasft.models.lstm import lstm_classifier
from kerasft.models.tabular_branch import TabularBranch
from kerasft.models.text_branch import TextBranch

__all__ = [
    "AudioBranch",
    "Branch",
    "ImageBranch",
    "TabularBranch",
    "TextBranch",
    "fusion_classifier",
    "lstm_classifier",
]
