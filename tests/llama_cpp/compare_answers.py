"""Holds texts against texts: compare_answers.py BALLAST FOLDER [TOKENS].

FOLDER is a model with its tokenizer. Ballast, transformers and llama.cpp each continue the same
prompts by so many tokens (64), always by the likeliest, in fp32: transformers on the folder, llama.cpp
on the file that Ballast exports of it, Ballast on both. All texts must be the same, letter by letter:
the tokenizer and the model, from end to end.

Needs xllamacpp (pip install xllamacpp==2026.10.11549); exits with 77 where it is not installed.
transformers (and torch) are compared with where they are installed. Started by hand, as it wants a
real model.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import xllamacpp
except ImportError as error:
    print(error)
    sys.exit(77)

try:
    import torch
    import transformers
except ImportError as error:
    print(f"without transformers: {error}")
    transformers = None

PROMPTS = [
    "The capital of France is",
    "In the beginning God created",
    "Once upon a time, there was a little girl who",
    "def fibonacci(n):\n    ",
    "1, 2, 3, 4, 5, 6, 7,",
    "<|im_start|>user\nWhat is the opposite of hot?<|im_end|>\n<|im_start|>assistant\n",
]
CONTEXT = 512


def run(ballast, *arguments):
    made = subprocess.run([ballast, *map(str, arguments)], capture_output=True)
    if made.returncode != 0:
        raise RuntimeError(f"{arguments}: {made.stderr.decode()}")
    return made.stdout.decode()


def by_ballast(ballast, model, prompt, tokens):
    text = run(ballast, "generate", "--checkpoint", model, "--prompt", prompt, "--tokens", tokens,
               "--temperature", 0, "--context", CONTEXT)
    return text.removesuffix("\n").removeprefix(prompt)


class Transformers:
    def __init__(self, folder):
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32)

    def answer(self, prompt, tokens):
        given = self.tokenizer(prompt, return_tensors="pt")
        made = self.model.generate(**given, max_new_tokens=tokens, do_sample=False)
        return self.tokenizer.decode(made[0][given["input_ids"].shape[1]:],
                                     skip_special_tokens=True, clean_up_tokenization_spaces=False)


class LlamaCpp:
    def __init__(self, path):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = CONTEXT
        params.n_parallel = 1
        params.warmup = False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(params)

    def answer(self, prompt, tokens):
        made = self.server.handle_completions(
            {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "top_k": 1})
        return made["choices"][0]["text"]


def main(ballast, folder, tokens):
    failures = 0
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.gguf"
        run(ballast, "export", "--checkpoint", folder, "--format", "gguf", "--dtype", "f32",
            "--output", path)
        others = {"llama.cpp": LlamaCpp(path).answer}
        if transformers:
            others["transformers"] = Transformers(folder).answer
        for prompt in PROMPTS:
            ours = by_ballast(ballast, folder, prompt, tokens)
            print(f"{prompt!r}: {ours!r}", flush=True)
            texts = {"ballast, the file": by_ballast(ballast, path, prompt, tokens)}
            texts |= {name: answer(prompt, tokens) for name, answer in others.items()}
            for name, text in texts.items():
                print(f"  {'ok    ' if text == ours else 'FAILED'} {name}"
                      + (f": {text!r}" if text != ours else ""), flush=True)
                failures += text != ours
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 64))
