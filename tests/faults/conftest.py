"""What the tests of faults share: the assistant scaled out, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.topology import Topology, topology


@pytest.fixture(scope="session")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with topology(tmp_path_factory.mktemp("scaled")) as running:
        yield running


@pytest.fixture
def whole(scaled: Topology) -> Topology:
    """The assistant scaled out, with everything running."""
    scaled.repair()
    return scaled
