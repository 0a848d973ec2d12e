# `make help` lists what there is.
SHELL := /bin/bash
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
PY := .venv/bin/python -W ignore
TRAINED := .build/model.stamp
FACTS := .build/facts.stamp

.PHONY: review faults screenshots check help run shell actions test setup facts train explain evaluate golden bench load lint validate lock sbom clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: setup $(TRAINED) ## start the assistant with its chat page (PORT=5005)
	@exec $(PY) -m server

shell: setup $(TRAINED) ## talk to it in the terminal
	@exec $(PY) -m server shell

actions: setup $(FACTS) ## start an action server for assistants elsewhere (PORT=5055)
	@exec $(PY) -m server actions

test: $(TRAINED) ## run every test (installs what they need)
	@bin/setup --dev && bin/setup-tests
	@$(MAKE) --no-print-directory validate
	@$(PY) -m pytest -n 2 --dist loadfile --ignore tests/faults

faults: $(TRAINED) ## kill, freeze and fill up what a running assistant needs
	@bin/setup --dev && bin/setup-tests && $(PY) -m pytest tests/faults

setup: ## make .venv with everything pinned in requirements.txt
	@bin/setup

facts: setup ## check the facts and build the store (FACTS_FILE)
	@$(PY) -m facts.build && touch $(FACTS)

review: setup ## a sheet for a clinician (TOPIC=prognosis), or record a sign-off (SIGN=prognosis BY="..." ROLE="...")
	@$(PY) -m facts.review $(if $(SIGN),sign $(SIGN) --by "$(BY)" --role "$(ROLE)",sheet $(TOPIC))

$(FACTS): $(wildcard facts/*.yml facts/topics/*.yml facts/*.py) | setup
	@$(PY) -m facts.build && touch $@

train: setup ## train the model now
	@rm -f $(TRAINED) && $(MAKE) --no-print-directory $(TRAINED)

$(TRAINED): $(wildcard data/*.yml data/nlu/*.yml nlu/*.py nlu/*.yml nlu/*/*) domain.yml config.yml facts/terms.yml requirements.txt | setup $(FACTS)
	@echo "Training (about five minutes)"
	@$(PY) -m rasa train --quiet >.build/train.log 2>&1 || { tail -n 20 .build/train.log; exit 1; }
	@touch $@

validate: setup $(TRAINED) ## check data, rules and stories, and run the end-to-end stories
	@$(PY) -m rasa data validate --fail-on-warnings >.build/validate.log 2>&1 || { tail -n 20 .build/validate.log; exit 1; }
	@$(PY) -m rasa test core --e2e --stories tests/test_stories.yml --fail-on-prediction-errors --out .build/rasa-test >.build/rasa-test.log 2>&1 || { tail -n 20 .build/rasa-test.log; exit 1; }
	@echo "rasa data validate and rasa test: no errors"

explain: setup $(TRAINED) ## print the way a message takes (Q="how is MS diagnosed", AFTER="an earlier one")
	@$(PY) -m server.explain $(if $(AFTER),--after "$(AFTER)") "$(Q)" 2>/dev/null

evaluate: $(TRAINED) ## put the hold-out to it and check the floor (PEER=1: a stock Rasa peer beside it)
	@bin/setup --dev && $(PY) -m benchmarks.evaluate $(if $(PEER),--peer)

golden: $(TRAINED) ## show which turns of the hold-out are decided otherwise than before (WRITE=1: keep that)
	@bin/setup --dev && $(PY) -m benchmarks.golden $(if $(WRITE),--write)

bench: $(TRAINED) ## measure speed, start and memory beside a stock Rasa peer
	@bin/setup --dev && $(PY) -m benchmarks.bench

load: $(TRAINED) ## let 50 people talk at once for 5 minutes, one way after the other; writes docs/scaling.md
	@bin/setup --dev && bin/setup-tests
	@$(PY) -m benchmarks.load --scaled --peer && $(PY) -m benchmarks.load --saturate && $(PY) -m benchmarks.load --write

screenshots: setup ## pictures of what the running assistant answers (URL=http://localhost:5005)
	@bin/setup --dev && bin/setup-tests && .venv/bin/python bin/screenshots --url $(or $(URL),http://localhost:5005)

check: lint ## ruff, mypy, the facts, and the tests that need no model and no server
	@$(PY) -m facts.build --check && $(PY) -m pytest -q tests/facts tests/actions tests/replies tests/nlu tests/benchmarks tests/docs

lint: ## ruff and mypy
	@bin/setup --dev
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

lock: ## resolve requirements*.in again (needs uv)
	@for f in requirements requirements-dev; do uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	  --no-emit-index-url --no-header --override requirements.overrides $$f.in -o $$f.txt \
	  $$([ $$f = requirements-dev ] && echo "-c requirements.txt"); done

sbom: ## list what is pinned as a CycloneDX bill of materials (.build/sbom.json)
	@bin/setup --dev && mkdir -p .build
	@.venv/bin/cyclonedx-py requirements requirements.txt --output-file .build/sbom.json

clean: ## remove what was built, the environment included
	@rm -rf .venv .build .rasa models
