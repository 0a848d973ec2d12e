"""How many of the examples nearest to a message are cries for help.

The softmax over all questions is bad at this: what a cry shares with the harmless lines beside it ("I want to go home")
is more than what it shares with other cries, so that no one direction tells them apart. Neighbours do.
"""

from __future__ import annotations

from typing import Dict, Sequence

import numpy as np

from nlu.alarm import LABELS

#: So many neighbours are asked; one farther by `NEARNESS` in cosine counts e times less.
NEIGHBOURS, NEARNESS = 15, 0.03
#: Harmless examples that are kept: those nearest to a cry. The others would never be among the neighbours.
HARMLESS = 12_000


class AlarmNeighbours:
    """Cries for help, and the harmless examples nearest to them.

    Args:
        vectors: unit vectors, shape (examples, DIMENSIONS); kept in half precision.
        kinds: of each the place in `LABELS`, or -1 where it is harmless, shape (examples,)
    """

    def __init__(self, vectors: np.ndarray, kinds: np.ndarray) -> None:
        self.vectors, self.kinds = vectors.astype(np.float16), kinds.astype(np.int8)
        self._compared = self.vectors.astype(np.float32).T

    @classmethod
    def of(cls, vectors: np.ndarray, labels: Sequence[str]) -> AlarmNeighbours:
        kinds = np.array([LABELS.index(label) if label in LABELS else -1 for label in labels])
        cries, harmless = np.flatnonzero(kinds >= 0), np.flatnonzero(kinds < 0)
        if len(cries) and len(harmless) > HARMLESS:
            nearest = [(vectors[part] @ vectors[cries].T).max(1) for part in np.array_split(harmless, 20)]
            harmless = np.sort(harmless[np.argsort(-np.concatenate(nearest), kind="stable")[:HARMLESS]])
        kept = np.concatenate([cries, harmless])
        return cls(vectors[kept], kinds[kept])

    def share(self, vectors: np.ndarray) -> Sequence[Dict[str, float]]:
        """For each vector the share of each alarm in its neighbours, from 0 to 1."""
        if not (self.kinds >= 0).any():
            return [dict.fromkeys(LABELS, 0.0) for _ in vectors]
        cosines = vectors @ self._compared
        count = min(NEIGHBOURS, len(self.kinds))
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        weights = np.exp((np.take_along_axis(cosines, nearest, 1) - 1) / NEARNESS)
        weights /= weights.sum(1, keepdims=True)
        kinds = self.kinds[nearest]
        return [
            {label: round(float(row[kind == at].sum()), 4) for at, label in enumerate(LABELS)}
            for row, kind in zip(weights, kinds, strict=True)
        ]
