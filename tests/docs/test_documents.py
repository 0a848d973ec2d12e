"""What the documents name exists, and what exists is named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
#: Made by running, so not in a fresh clone.
MADE = (".venv", ".build", "models", "http:", "https:", "/")

pytestmark = pytest.mark.skipif(not README.exists(), reason="README.md is not written yet")


def verbs() -> set[str]:
    """The verbs of the Makefile."""
    text = (ROOT / "Makefile").read_text("utf8")
    phony = re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)
    assert phony
    return set(phony[1].split())


def helped() -> set[str]:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}


def documents() -> list[Path]:
    return [
        README,
        *(p for name in ("CONTRIBUTING.md", "facts/README.md") if (p := ROOT / name).exists()),
        *sorted((ROOT / "docs").glob("*.md")),
    ]


def in_backticks(text: str) -> list[str]:
    """Code in a line and the lines of code blocks."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", rest) + [line for block in blocks for line in block.splitlines()]


def test_make_help_lists_every_verb_in_a_line() -> None:
    assert helped() == verbs()


def test_every_verb_is_a_rule() -> None:
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    assert verbs() == rules


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_verb_a_document_names_exists(document: Path) -> None:
    named = {verb for code in in_backticks(document.read_text("utf8")) for verb in re.findall(r"\bmake ([a-z]+)", code)}
    assert named - verbs() == set()


def test_the_readme_names_the_verbs_one_begins_with() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", README.read_text("utf8")))
    assert {"run", "test", "shell", "facts"} <= named


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_a_document_names_exists(document: Path) -> None:
    """In backticks: what has a slash or a known ending, and no blank."""
    missing = []
    for code in re.findall(r"`([^`\n]+)`", document.read_text("utf8")):
        looks_like_one = re.fullmatch(r"[\w.*/-]+", code) and (
            re.fullmatch(r"[\w.-]+(/[\w.*-]+)*/", code)
            or re.search(r"\w\.(?:md|py|yml|yaml|txt|html|js|css|toml|json)$", code)
            or ((ROOT / code.split("/")[0]).is_dir() and "/" in code)
        )
        if not looks_like_one or code.startswith(MADE):
            continue
        if not any(list(base.glob(code.rstrip("/"))) for base in (ROOT, document.parent)):
            missing.append(code)
    assert missing == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text("utf8"))
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_every_setting_that_is_read_is_documented() -> None:
    """`docs/settings.md` lists every variable of the environment."""
    code = "".join(path.read_text("utf8") for path in (ROOT / "server").glob("*.py"))
    names = set(re.findall(r'env\.get\("([A-Z_]+)"', code)) | set(re.findall(r'_number\(env, "([A-Z_]+)"', code))
    names.add("FACTS_FILE")
    assert len(names) >= 8
    listed = (ROOT / "docs" / "settings.md").read_text("utf8")
    assert sorted(name for name in names if f"`{name}`" not in listed) == []


def test_the_readme_says_in_order_what_it_is_how_to_run_it_and_what_it_is_not() -> None:
    text = README.read_text("utf8").lower()
    places = [text.find(part) for part in ("make run", "curl", "grep", "not a medical device")]
    assert -1 not in places
    assert places == sorted(places)
    assert re.search(r"not (?:been )?reviewed by a clinician|no clinician", text)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf8")
    assert "make test" in (ROOT / ".github" / "workflows" / "test.yml").read_text("utf8")
    assert "make test" in README.read_text("utf8")


def test_the_stories_are_checked_with_their_words() -> None:
    """Without `--e2e`, `rasa test core` takes the intents as given, and no story can fail for its text."""
    (command,) = re.findall(r"rasa test core[^>]*", (ROOT / "Makefile").read_text("utf8"))
    assert "tests/test_stories.yml" in command
    assert "--fail-on-prediction-errors" in command
    assert "--e2e" in command or "--end-to-end" in command


def test_a_story_begins_with_what_a_person_writes() -> None:
    """`rasa test` takes only files named test_*.yml for such stories."""
    stories = YAML(typ="safe").load((ROOT / "tests" / "test_stories.yml").read_text("utf8"))["stories"]
    assert len(stories) >= 12
    for story in stories:
        turns = [step for step in story["steps"] if "intent" in step]
        assert turns
        assert [turn for turn in turns if not turn.get("user", "").strip()] == []
        assert [step for step in story["steps"] if "action" in step and step["action"] != "action_answer"] == []
