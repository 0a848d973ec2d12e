"""The peer: the same domain, rules and actions on Rasa's default pipeline and policies.

    python -m benchmarks.peer        builds it in .build/peer/ and trains it, when its inputs changed

It learns from a sample of our examples (`PEER_EXAMPLES` of each intent), since all of them would take it hours; where
its figures are shown, that is said beside them. Its `config.yml` is the one Rasa itself ships as its default. Its
examples carry the entities that our `TermMatcher` finds in them, since DIET learns entities from annotations only. Its
replies are finished by our NLG class, so that both say the same; it answers topics, not questions
(`benchmarks/peer_actions.py`).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Sequence

from benchmarks.running import ROOT, Assistant, Failed, environment, free_port, prepare, python, train, training_data

if TYPE_CHECKING:
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

PROJECT = ROOT / ".build" / "peer"
#: How many examples of each intent the peer is trained on.
EXAMPLES_PER_INTENT = int(os.environ.get("PEER_EXAMPLES", "15"))
#: What a trained model depends on.
INPUTS = ("config.yml", "domain.yml", "data/nlu.yml", "data/rules.yml", "data/stories.yml")

ENDPOINTS = """\
action_endpoint:
  url: http://127.0.0.1:${ACTION_PORT}/webhook
nlg:
  type: replies.nlg.DisclaimerNLG
"""
#: What is said of the peer wherever its figures are shown.
DESCRIPTION = (
    "the same domain, rules and actions on Rasa's default pipeline and policies, trained on "
    f"{EXAMPLES_PER_INTENT} examples of each intent, spread evenly over its questions (the product has all; with all "
    "of them the peer's classifier alone takes a minute of a core or more for each of its 100 epochs)"
)
#: Rasa's REST channel for timing; ours where the metadata of a reply is needed, which Rasa's drops.
CREDENTIALS = {"rest": "rest:\n", "metadata": "channels.rest.RestInput:\n"}


def sample(examples: Sequence[Message], most: int) -> List[Message]:
    """So many examples of each intent, evenly out of all of them: of every question and of every length."""
    by_intent: Dict[str, List[Message]] = defaultdict(list)
    for example in examples:
        by_intent[example.get("intent")].append(example)
    return [
        found[i * len(found) // min(most, len(found))]
        for found in by_intent.values()
        for i in range(min(most, len(found)))
    ]


def annotated(data: TrainingData, most: int) -> str:
    """A sample of the examples as Rasa's YAML, with the entities that our `TermMatcher` finds in them."""
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.shared.nlu.training_data.training_data import TrainingData

    from nlu.terms import QUESTION, TermMatcher

    with tempfile.TemporaryDirectory() as folder:
        matcher = TermMatcher(LocalModelStorage.create(Path(folder)), Resource("terms"))
        matcher.train(data)
    chosen = matcher.process_training_data(TrainingData(sample(data.intent_examples, most))).training_examples
    for example in chosen:
        found = [entity for entity in example.get("entities") or [] if entity["entity"] != QUESTION]
        example.set("entities", apart(found))
    return str(TrainingData(chosen).nlu_as_yaml())


def apart(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entities without those that overlap a longer one ("MS fatigue" is found as a whole and as MS): Rasa writes no
    span inside another."""
    kept: list[dict[str, Any]] = []
    for entity in sorted(entities, key=lambda e: (e["start"] - e["end"], e["start"])):
        if all(entity["end"] <= k["start"] or k["end"] <= entity["start"] for k in kept):
            kept.append(entity)
    return sorted(kept, key=lambda e: e["start"])


def default_config() -> str:
    """Rasa's own default pipeline and policies."""
    import rasa.engine.recipes

    path = Path(rasa.engine.recipes.__file__).parent / "config_files" / "default_config.yml"
    return path.read_text(encoding="utf8").replace("placeholder_default", "ms-als-answers-peer")


def build() -> None:
    """Write the peer's project, all but its model."""
    (PROJECT / "data").mkdir(parents=True, exist_ok=True)
    files = {name: (ROOT / name).read_text(encoding="utf8") for name in INPUTS[1:]}
    files["data/nlu.yml"] = annotated(training_data(), EXAMPLES_PER_INTENT)
    files["config.yml"] = default_config()
    files["endpoints.yml"] = ENDPOINTS
    files.update({f"credentials-{name}.yml": text for name, text in CREDENTIALS.items()})
    for name, text in files.items():
        (PROJECT / name).write_text(text, encoding="utf8")


def model(stale: bool = False) -> Path:
    """The folder of the peer's trained model, which is trained first when its inputs changed.

    Args:
        stale: take the last model trained, whatever changed since.

    Raises:
        Failed: when training failed.
    """
    earlier = sorted(PROJECT.glob("models/*/*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if stale and earlier:
        print("The peer's last model is taken; its inputs may have changed since.", file=sys.stderr, flush=True)
        return earlier[-1].parent
    build()
    digest = sha256(b"".join((PROJECT / name).read_bytes() for name in INPUTS)).hexdigest()[:16]
    folder = PROJECT / "models" / digest
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        log = fresh.with_suffix(".log").relative_to(ROOT)
        print(f"Training the peer; this takes some minutes ({log}) ...", file=sys.stderr, flush=True)
        train(PROJECT, fresh, "--force")
        fresh.rename(folder)
    return folder


class Peer(Assistant):
    """`rasa run` and `rasa run actions`, side by side.

    Args:
        folder: where its log goes.
        models: the folder of its model.
        channel: which of `CREDENTIALS` it takes messages in by.
    """

    def __init__(self, folder: Path, models: Path, channel: str = "rest") -> None:
        super().__init__(folder / "peer.log")
        self._models, self._channel = models, channel

    def launch(self) -> None:
        actions = str(free_port())
        env = environment(ACTION_PORT=actions)
        files = ("--credentials", f"credentials-{self._channel}.yml", "--endpoints", "endpoints.yml")
        server = python("rasa", "run", "actions", "--actions", "benchmarks.peer_actions", "--port", actions)
        self.start(server, env, PROJECT)
        self.start(python("rasa", "run", "-i", "127.0.0.1", "-p", self.port, "-m", self._models, *files), env, PROJECT)


def main() -> int:
    prepare()
    try:
        print(f"The peer's model is in {model().relative_to(ROOT)}")
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
