"""Learner to bundle: SavedModel and ONNX, proved equal to the model before anything is published."""
