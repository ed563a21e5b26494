"""The real llama.cpp, as the wheel xllamacpp carries it, by its C interface: tokens in, logits out.

The wheel's own interface is a server that needs a tokenizer; files of token ids have none.
"""

import ctypes
from pathlib import Path

import xllamacpp

c_int, c_float, c_void = ctypes.c_int32, ctypes.c_float, ctypes.c_void_p


class ModelParams(ctypes.Structure):
    """llama_model_params; nothing of it is changed here."""

    _fields_ = [("bytes", ctypes.c_uint64 * 32)]


class ContextParams(ctypes.Structure):
    """llama_context_params as far as it is changed here, and room for the rest."""

    _fields_ = [
        ("n_ctx", c_int), ("n_batch", c_int), ("n_ubatch", c_int), ("n_seq_max", c_int),
        ("n_rs_seq", c_int), ("n_outputs_max", c_int), ("n_outputs_max_per_seq", c_int),
        ("n_threads", c_int), ("n_threads_batch", c_int), ("ctx_type", c_int),
        ("rope_scaling_type", c_int), ("pooling_type", c_int), ("attention_type", c_int),
        ("flash_attn_type", c_int), ("rope_freq_base", c_float), ("rope_freq_scale", c_float),
        ("yarn_ext_factor", c_float), ("yarn_attn_factor", c_float), ("yarn_beta_fast", c_float),
        ("yarn_beta_slow", c_float), ("yarn_orig_ctx", c_int), ("defrag_thold", c_float),
        ("cb_eval", c_void), ("cb_eval_user_data", c_void), ("type_k", c_int), ("type_v", c_int),
        ("rest", ctypes.c_uint64 * 16),
    ]


class Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", c_int), ("token", ctypes.POINTER(c_int)), ("embd", ctypes.POINTER(c_float)),
        ("pos", ctypes.POINTER(c_int)), ("n_seq_id", ctypes.POINTER(c_int)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(c_int))), ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


GGML_F16, GGML_F32 = 1, 0
LogCallback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, c_void)


def load_library():
    library = ctypes.CDLL(str(next(Path(xllamacpp.__file__).parent.glob("*.so"))))
    types = {
        "llama_model_default_params": (ModelParams, []),
        "llama_context_default_params": (ContextParams, []),
        "llama_model_load_from_file": (c_void, [ctypes.c_char_p, ModelParams]),
        "llama_init_from_model": (c_void, [c_void, ContextParams]),
        "llama_batch_init": (Batch, [c_int, c_int, c_int]),
        "llama_batch_free": (None, [Batch]),
        "llama_decode": (c_int, [c_void, Batch]),
        "llama_get_logits_ith": (ctypes.POINTER(c_float), [c_void, c_int]),
        "llama_free": (None, [c_void]),
        "llama_model_free": (None, [c_void]),
        "llama_log_set": (None, [LogCallback, c_void]),
    }
    for name, (result, arguments) in types.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class LlamaCpp:
    """One GGUF file, opened. Keys and values are kept in fp32, without flash attention."""

    def __init__(self, path, vocabulary, context=256):
        self.lib = load_library()
        self.said = []
        self.callback = LogCallback(lambda level, text, data: self.said.append(text))
        self.lib.llama_log_set(self.callback, None)
        self.vocabulary = vocabulary
        self.model = self.lib.llama_model_load_from_file(
            str(path).encode(), self.lib.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp does not open {path}: {self.log()}")
        params = self.lib.llama_context_default_params()
        # Where the interface has changed, these are no longer there.
        assert params.n_batch == 2048 and params.yarn_ext_factor == -1.0, "another llama.h"
        assert (params.type_k, params.type_v) == (GGML_F16, GGML_F16), "another llama.h"
        params.n_ctx = params.n_batch = params.n_ubatch = context
        params.n_threads = params.n_threads_batch = 1
        params.flash_attn_type = 0
        params.type_k = params.type_v = GGML_F32
        self.context = self.lib.llama_init_from_model(self.model, params)
        if not self.context:
            raise RuntimeError(f"llama.cpp does not run {path}: {self.log()}")
        self.position = 0

    def log(self):
        return b"".join(self.said[-20:]).decode(errors="replace")

    def close(self):
        self.lib.llama_free(self.context)
        self.lib.llama_model_free(self.model)

    def feed(self, tokens):
        """The logits behind each of these tokens, which follow those that were fed before."""
        batch = self.lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, self.position + i
            batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, 1
        failed = self.lib.llama_decode(self.context, batch)
        self.lib.llama_batch_free(batch)
        if failed:
            raise RuntimeError(f"llama_decode: {failed}: {self.log()}")
        self.position += len(tokens)
        rows = (self.lib.llama_get_logits_ith(self.context, i) for i in range(len(tokens)))
        return [row[:self.vocabulary] for row in rows]
