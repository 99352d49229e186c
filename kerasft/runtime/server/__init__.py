"""A server of bundles: TensorFlow Serving's REST protocol, the Open Inference Protocol, a page; no TensorFlow."""
