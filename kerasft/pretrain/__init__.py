"""Pretraining: language models from unlabelled texts."""
