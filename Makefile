# Everything sets up what it needs: Python 3.11 or newer, make and the package registries are enough.
# `make up CLUSTER=kubeconfig` uses the cluster of $KUBECONFIG instead of one of its own.
# `make up AGENTIDP_ARGS="AGENTIDP_LOG_LEVEL=debug"` gives settings to the programs.

PYTHON ?= python3
BIN := .venv/bin
DEVCLUSTER := $(BIN)/python -m devcluster

PYTHON_SOURCES := agentidp operator/agent_operator token_service management_api kubectl_agentidp devcluster benchmarks dashboard docs/site $(wildcard demo)
MANIFESTS := .github crds charts/agentidp/values.yaml charts/agentidp/Chart.yaml charts/agentidp/files/alerts.yaml charts/agentidp/ci $(wildcard examples)
SHELL_SCRIPTS := .ci/run $(wildcard examples/*.sh examples/*/*.sh)

.PHONY: help demo up down test test-unit test-integration e2e bench dashboard check format lock lint-chart audit sbom docs reference manifest clean environment control-plane prometheus

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: control-plane ## Show the main job on a real control plane: declare an agent, get a token, suspend, revoke
	@$(BIN)/python -m demo

up: control-plane ## Start a control plane and all programs in the background, write .dev/env
	@$(DEVCLUSTER) up $(AGENTIDP_ARGS)

down: environment ## End what `make up` started
	@$(DEVCLUSTER) down

test: test-unit test-integration ## Run all tests, on a real control plane where it matters; about 20 minutes

test-unit: environment ## Run the tests that need no control plane; a minute
	@$(BIN)/pytest tests/unit

test-integration: control-plane prometheus ## Run the tests on a real control plane
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile tests/integration

e2e: control-plane ## Run what ships, the image installed by the chart, on a real node (root, Linux) or with CLUSTER=kind
	@[ "$(CLUSTER)" = kind ] || $(DEVCLUSTER) prepare-node
	@$(BIN)/pytest tests/e2e

bench: control-plane ## Measure: everything, or BENCH="NAME ..."; `make bench BENCH=--list` names them
	@$(BIN)/python -m benchmarks $(BENCH)

dashboard: control-plane prometheus ## Draw docs/dashboard.svg anew: what the chart's dashboard shows of a real life; a quarter of an hour
	@$(BIN)/python -m dashboard

check: control-plane ## Format, lint and type checks of everything; seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PYTHON_SOURCES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/yamllint --strict $(MANIFESTS)
	$(DEVCLUSTER) helm lint --strict --quiet charts/agentidp
	$(BIN)/shellcheck $(SHELL_SCRIPTS)
	$(BIN)/hadolint Dockerfile
	@$(MAKE) --no-print-directory audit
	@mkdir -p .make # with --quiet, MkDocs counts no warnings, and strict mode finds no broken link
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build > .make/mkdocs.log 2>&1 || { cat .make/mkdocs.log; exit 1; }
	@if command -v gofmt > /dev/null; then set -x; test -z "$$(gofmt -l devcluster)"; fi

lint-chart: control-plane ## Let kubeconform (three Kubernetes versions) and kube-score read the rendered chart; compiles them once
	@$(DEVCLUSTER) lint-chart

format: environment ## Format the Python sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What judges the dependencies shares none with them. MPL 2.0 is certifi's, a list of authorities that is shipped as it is.
VULNERABILITIES := api.osv.dev
LICENCES := MIT;Apache;BSD;Python Software Foundation;PSF-2.0;Mozilla Public License 2.0
AUDITORS := cyclonedx-bom pip-audit pip-licenses
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet
lock: environment ## Pin the newest dependencies that pyproject.toml allows, of the image and of development
	$(COMPILE) --upgrade --extra dev pyproject.toml --output-file requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock
	echo hatchling | $(COMPILE) --constraint requirements-dev.lock - --output-file requirements-build.lock
	echo $(AUDITORS) | tr ' ' '\n' | $(COMPILE) --upgrade - --output-file requirements-supply-chain.lock

audit: .make/auditors ## Look for known vulnerabilities in what the image has; skipped where the database cannot be reached
	@if $(BIN)/python -c 'import socket; socket.create_connection(("$(VULNERABILITIES)", 443), 5)' 2> /dev/null; \
	then .make/auditors/bin/pip-audit --vulnerability-service osv --disable-pip --require-hashes --requirement requirements.lock; \
	else echo "notice: the dependencies were not audited, $(VULNERABILITIES) cannot be reached"; fi

sbom: .make/auditors .make/shipped ## List what the image has: dist/sbom.cdx.json (CycloneDX) and dist/licences.md
	@mkdir -p dist
	.make/auditors/bin/cyclonedx-py environment --output-reproducible --output-file dist/sbom.cdx.json .make/shipped/bin/python
	.make/auditors/bin/pip-licenses --python .make/shipped/bin/python --format markdown --with-urls --partial-match \
		--allow-only "$(LICENCES)" --output-file dist/licences.md

.make/auditors: requirements-supply-chain.lock | environment
.make/shipped: requirements.lock | environment
.make/%:
	@$(BIN)/uv venv --quiet --clear $@
	@$(BIN)/uv pip sync --quiet --python $@ --require-hashes $<
docs: environment ## Build the documentation as a site: dist/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

reference: environment ## Write docs/reference/reasons.md anew, from the conditions and reasons of the code
	@mkdir -p docs/reference
	@$(BIN)/python docs/site/reference.py

manifest: control-plane ## Render the chart for `kubectl apply`, for who has no Helm: dist/agentidp.yaml
	@mkdir -p dist
	$(DEVCLUSTER) manifest > dist/agentidp.yaml

clean: ## Remove what was made here; the compiled control plane stays in the cache
	@if [ -x $(BIN)/python ]; then $(DEVCLUSTER) down || true; fi
	rm -rf .venv .venv.lock .dev .make dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, such as: make PYTHON=python3.12")'
	@$(PYTHON) -m devcluster.environment

control-plane: environment
	@$(DEVCLUSTER) compile > /dev/null

prometheus: environment
	@$(DEVCLUSTER) compile-prometheus > /dev/null
