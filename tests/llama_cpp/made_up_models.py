"""Hugging Face folders of made-up weights, for families of which no small model can be fetched."""

import json
import random
import struct
from array import array

COMMON = {
    "vocab_size": 320, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
    "bos_token_id": 1, "eos_token_id": 2,
}
# Families, and sizes for each way to store weights: rows that are whole blocks of 256, and not.
MODELS = {
    "llama-256": {"model_type": "llama"},
    "llama-96": {"model_type": "llama", "hidden_size": 96, "intermediate_size": 160,
                 "num_attention_heads": 6, "tie_word_embeddings": False},
    "smollm3": {"model_type": "smollm3", "tie_word_embeddings": True},
    "gemma2": {"model_type": "gemma2", "head_dim": 64, "query_pre_attn_scalar": 64,
               "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
               "sliding_window": 16, "hidden_activation": "gelu_pytorch_tanh"},
}


def shapes(config):
    width, ffn = config["hidden_size"], config["intermediate_size"]
    head_dim = config.get("head_dim", width // config["num_attention_heads"])
    queries = config["num_attention_heads"] * head_dim
    keys = config["num_key_value_heads"] * head_dim
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        norms = ["input_layernorm", "post_attention_layernorm"]
        if config["model_type"] == "gemma2":
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        for norm in norms:
            yield f"{at}{norm}.weight", (width,)
        yield f"{at}self_attn.q_proj.weight", (queries, width)
        yield f"{at}self_attn.k_proj.weight", (keys, width)
        yield f"{at}self_attn.v_proj.weight", (keys, width)
        yield f"{at}self_attn.o_proj.weight", (width, queries)
        yield f"{at}mlp.gate_proj.weight", (ffn, width)
        yield f"{at}mlp.up_proj.weight", (ffn, width)
        yield f"{at}mlp.down_proj.weight", (width, ffn)
    yield "model.norm.weight", (width,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], width)


def write_model(name, folder):
    """Writes the model of this name; returns its configuration."""
    config = {**COMMON, **MODELS[name]}
    random.seed(name)
    header, data = {}, bytearray()
    for tensor, shape in sorted(shapes(config)):
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        is_gain = len(shape) == 1
        middle = 1.0 if is_gain and config["model_type"] != "gemma2" else 0.0
        spread = 0.1 if is_gain else 1.0 / shape[1] ** 0.5
        values = array("f", (random.gauss(middle, spread) for _ in range(count)))
        header[tensor] = {"dtype": "F32", "shape": list(shape),
                          "data_offsets": [len(data), len(data) + 4 * count]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps(config))
    return config
