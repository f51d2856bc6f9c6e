# Lambert's commands. Everything lands in build*/; `make clean` removes it.
JOBS ?= $(shell nproc)
export JOBS
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup demo serve build test bench fuzz format lint reproducible clean arm64 check-arm64 dist lambda-zip lambda-local lambda-image server-image check-deploy check-web check-http check-server-deploy bench-lambda bench-http bench-processes soak soak-server

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' Makefile

setup: ## install what building and testing need (Debian 12, as root; else say what is missing)
	@tools/setup build test

build: ## the release binary, build/lambert
	@tools/setup build
	@tools/build lambert

demo: build ## build, then answer two questions with the default model
	@tools/demo

serve: build ## the default model in int8 over HTTP, with a page to try it on (SERVE: more options)
	@tools/serve $(SERVE)

test: ## every check: tests, sanitizers, lint, fuzz targets, reproducibility, README
	@tools/test

arm64: ## build-arm64/lambert, the release binary for arm64
	@tools/setup build test
	@tools/arm64_root
	@cmake --preset arm64 -DLAMBERT_TESTS=$${TESTS:-OFF} >/dev/null
	@ninja -C build-arm64 -j $(JOBS) --quiet lambert >&2

check-arm64: ## its tests under QEMU, and that it computes the same bits as build/lambert
	@tools/setup build test
	@tools/test arm64

dist: build arm64 ## build/dist/: archives of both architectures and their SHA-256 sums
	@tools/dist

bench: ## Lambert beside ONNX Runtime, OpenVINO and PyTorch (BENCH_QUICK=1: fewer rounds)
	@tools/setup build bench
	@tools/build lambert bench_lambert bench_peak bench_kernels bench_cold bench_ort_first
	@bench/run

bench-lambda: build ## the Lambda function beside the Python service, under AWS's emulator
	@tools/lambda_tools
	@bench/run lambda_run.py

bench-http: ## lambert serve beside other servers, same requests and cores (BENCH_QUICK=1: a look)
	@tools/setup build bench
	@tools/build lambert bench_lambert bench_peak bench_http_load
	@bench/http/build_peers
	@bench/run http_run.py

bench-processes: build ## memory of 1, 8 and 32 processes that map one packed model
	@python3 bench/processes.py

soak-server: build ## lambert serve at 80 % load for SOAK_SECONDS (default 1800): no growth, equal replies
	@tools/soak_server

soak: build ## mixed requests for SOAK_SECONDS (default 1800): no growth of memory, equal answers
	@tools/soak

lambda-zip: build ## dist/: the zip of an AWS Lambda function, without and with the default model
	@mkdir -p dist
	@build/lambert package --force -o dist/lambert-lambda-$$(uname -m).zip
	@build/lambert package --force --model models/distilbert-minilm-squad \
	  --calibration models/calibration.jsonl \
	  -o dist/lambert-lambda-$$(uname -m)-model.zip

lambda-local: build ## the function under AWS's emulator, its model from a local S3 server
	@tools/lambda_tools
	@python3 tools/lambda_local.py

lambda-image: build ## the function as a container image
	@tools/container_image lambda

server-image: build ## the HTTP server with the default model as a container image
	@tools/container_image server

check-deploy: ## every template of deploy/ by its own linter (installs them into .deploy-tools)
	@tools/check_deploy

check-web: build ## the pages in a browser, clients that others wrote (installs Chromium and npm's modules)
	@tools/test web

check-http: build ## malformed requests through nginx and HAProxy, slow clients, limits of memory
	@tools/setup http
	@tools/check_http_proxies
	@tools/check_slow_clients
	@tools/check_server_memory

check-server-deploy: ## the server's image, chart, manifests and alerts by their own tools
	@tools/check_server_deploy

fuzz: ## each fuzz target for FUZZ_SECONDS (default 60)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} tools/test fuzz

format: ## clang-format over all sources
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

lint: ## layers, format, clang-tidy, symbols, sizes, words
	@tools/test lint

reproducible: ## build twice in different directories and compare
	@tools/test reproducible

clean: ## remove all that was built
	rm -rf build build-* .arm64-root
