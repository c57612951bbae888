# Everything below .local/ and .venv/ is made here and may be deleted at any time.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
unexport PYTHONHOME VIRTUAL_ENV
export PYTHONPATH := $(CURDIR)/layers/common

LOCKS := tests/requirements
# Our own uv only where there is none.
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.local/uv/bin/uv)
PYTHON := .venv/bin/python
# Stamps: newer than their lock file once it is installed.
DEVELOPMENT := .venv/.installed
MINISTACK := .local/ministack/.installed
AWSCLI := .local/awscli/.installed
PEERS := .local/peers/.installed
CHECKOV := .local/checkov/.installed
# Runs handlers as Lambda does; there are wheels for Linux alone.
AWSLAMBDARIC := $(if $(filter Linux,$(shell uname)),.local/awslambdaric/.installed)

SUITES := unit integration $(if $(wildcard tests/simulation/test_*.py),simulation) e2e

SEEDS ?= 2000
SEED_BASE ?= 0
PAIRS ?= 1000
SABOTAGE ?=

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(DEVELOPMENT) $(MINISTACK) ## See it work: two files, or CSV=file [MAPPING=file]; KILL=1, JSON=1
	@$(PYTHON) -m tests.local_stack.demo $(if $(CSV),--csv "$(CSV)") $(if $(MAPPING),--mapping "$(MAPPING)") $(if $(KILL),--kill)

.PHONY: up
up: $(DEVELOPMENT) $(MINISTACK) $(AWSCLI) ## Start a local stack to play with
	@$(PYTHON) -m tests.local_stack up

.PHONY: down
down: $(DEVELOPMENT) ## Stop it
	@$(PYTHON) -m tests.local_stack down

.PHONY: status
status: $(DEVELOPMENT) ## What is open and was closed lately in your AWS account: STACK=
	@$(PYTHON) -m bigin_import status $(if $(STACK),--stack "$(STACK)")

.PHONY: check
check: $(DEVELOPMENT) $(CHECKOV) ## Lint, types, template, security of the template
	@$(PYTHON) -m tests.suites check

.PHONY: test
test: $(DEVELOPMENT) $(MINISTACK) $(AWSCLI) $(CHECKOV) $(AWSLAMBDARIC) ## All checks and tests, end to end ones included
	@$(PYTHON) -m tests.suites check $(SUITES)

.PHONY: prove-iam
prove-iam: $(DEVELOPMENT) $(MINISTACK) ## See each permission missed: some minutes, not in CI
	@$(PYTHON) -m tests.local_stack.prove_iam

.PHONY: bench
bench: $(DEVELOPMENT) $(MINISTACK) $(AWSLAMBDARIC) $(PEERS) ## Measure speed and memory, next to peers
	@PYTHONPATH=$(PYTHONPATH):$(CURDIR)/.local/peers $(PYTHON) -m tests.bench

.PHONY: simulate
simulate: $(DEVELOPMENT) ## Search for lost or doubled rows: SEEDS= SEED_BASE= PAIRS= SABOTAGE=
	@$(PYTHON) -m tests.simulation --seeds $(SEEDS) --seed-base $(SEED_BASE) --pairs $(PAIRS) $(if $(SABOTAGE),--sabotage $(SABOTAGE))

.PHONY: lock
lock: | $(UV) ## Choose newer versions of everything and write the lock files
	@for name in layers/common/requirements $(LOCKS)/development $(LOCKS)/ministack $(LOCKS)/awscli $(LOCKS)/awslambdaric $(LOCKS)/peers $(LOCKS)/checkov layers/common/uv; do \
	  $(UV) pip compile --quiet --upgrade --universal --python-version 3.13 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header \
	    $$( [ $$name = layers/common/requirements ] || [ $$name = $(LOCKS)/checkov ] || echo "--constraint layers/common/requirements.txt" ) \
	    $$name.in --output-file $$name.txt; \
	done

.PHONY: clean
clean: down ## Remove everything that was made here
	rm -rf .venv .local .aws-sam

# --- environments ----------------------------------------------------------------------------

# $(call install,folder,lock file). In this folder uv reads .python-version.
install = rm -rf $(1) && $(UV) venv --quiet $(1) \
	&& $(UV) pip install --quiet --require-hashes --python $(1)/bin/python --requirement $(2)

$(DEVELOPMENT): $(LOCKS)/development.txt .python-version | $(UV)
	@echo "Installing development tools into .venv (once)"
	@$(call install,.venv,$<)
	@touch $@

$(MINISTACK): $(LOCKS)/ministack.txt .python-version | $(UV)
	@echo "Installing MiniStack into .local/ministack (once)"
	@$(call install,.local/ministack,$<)
	@touch $@

$(AWSCLI): $(LOCKS)/awscli.txt .python-version | $(UV)
	@echo "Installing the AWS CLI into .local/awscli (once)"
	@$(call install,.local/awscli,$<)
	@touch $@

$(CHECKOV): $(LOCKS)/checkov.txt .python-version | $(UV)
	@echo "Installing checkov into .local/checkov (once)"
	@$(call install,.local/checkov,$<)
	@touch $@

.local/awslambdaric/.installed: $(LOCKS)/awslambdaric.txt $(DEVELOPMENT) | $(UV)
	@echo "Installing awslambdaric into .local/awslambdaric (once)"
	@rm -rf .local/awslambdaric && $(UV) pip install --quiet --require-hashes --python $(PYTHON) \
	  --requirement $< --target .local/awslambdaric
	@touch $@

# Beside the development tools, not among them: only the bench imports them.
$(PEERS): $(LOCKS)/peers.txt $(DEVELOPMENT) | $(UV)
	@echo "Installing peers into .local/peers (once)"
	@rm -rf .local/peers && $(UV) pip install --quiet --require-hashes --python $(PYTHON) \
	  --requirement $< --target .local/peers
	@touch $@

# From the root folder, where .python-version does not ask a version manager for 3.13. A
# Python without ensurepip cannot make a complete environment; its own pip will do then.
$(CURDIR)/.local/uv/bin/uv: layers/common/uv.txt
	@echo "Installing uv into .local/uv (once)"
	@rm -rf .local/uv && mkdir -p .local
	@cd / && { python3 -m venv "$(CURDIR)/.local/uv" >/dev/null 2>&1 \
	    && "$(CURDIR)/.local/uv/bin/python" -m pip install --quiet --disable-pip-version-check \
	      --require-hashes --requirement "$(CURDIR)/$<"; } \
	  || python3 -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement "$(CURDIR)/$<" --target "$(CURDIR)/.local/uv"
	@touch $@
