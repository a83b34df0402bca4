"""How the vendored networks are run: on one thread of the CPU, so that equal inputs give equal answers."""

import onnxruntime

_ERRORS_ONLY = 3


def session_of(model: bytes) -> onnxruntime.InferenceSession:
    """Open a network on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    # With one thread sums are added in one order: a task that is rendered again gives the same bytes. The encoder has
    # the other cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
