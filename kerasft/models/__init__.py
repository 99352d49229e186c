"""Functional builders: a dict of named arrays in, a dict of named arrays out, on keras and keras.ops alone."""

from kerasft.models.audio_branch import AudioBranch
from kerasft.models.average import average_embedding_classifier
from kerasft.models.backbone_loading import load_backbone
from kerasft.models.branch import Branch
from kerasft.models.fusion import fusion_classifier
from kerasft.models.image_branch import ImageBranch
from kerasft.models.lstm import lstm_classifier
from kerasft.models.mean_vector import mean_vector
from kerasft.models.tabular_branch import TabularBranch
from kerasft.models.text_backbone import TextBackbone, new_backbone
from kerasft.models.text_branch import TextBranch
from kerasft.models.transformer import transformer_classifier
from kerasft.models.transformer_branch import TransformerBranch
from kerasft.models.windows import Windows

__all__ = [
    "AudioBranch",
    "Branch",
    "ImageBranch",
    "TabularBranch",
    "TextBackbone",
    "TextBranch",
    "TransformerBranch",
    "Windows",
    "average_embedding_classifier",
    "fusion_classifier",
    "load_backbone",
    "lstm_classifier",
    "mean_vector",
    "new_backbone",
    "transformer_classifier",
]
