"""The term matcher as training makes it, without training the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.terms import TermFinder, TermMatcher

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def training_data() -> TrainingData:
    data = load_data(str(ROOT / "data" / "nlu.yml"))
    more = ROOT / "data" / "nlu"
    return data.merge(load_data(str(more))) if more.is_dir() else data


@pytest.fixture(scope="session")
def matcher(training_data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> TermMatcher:
    """Trained, saved, and loaded again as a running assistant does."""
    storage = LocalModelStorage(tmp_path_factory.mktemp("model"))
    TermMatcher.create({}, storage, Resource("terms"), None).train(training_data)  # type: ignore[arg-type]
    return TermMatcher.load({}, storage, Resource("terms"), None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def finder(matcher: TermMatcher) -> TermFinder:
    assert matcher.finder is not None
    return matcher.finder


@pytest.fixture
def understand(matcher: TermMatcher):  # type: ignore[no-untyped-def]
    """What the matcher adds to a message, as Rasa's components see it."""

    def process(text: str) -> Message:
        message = Message.build(text)
        matcher.process([message])
        return message

    return process
