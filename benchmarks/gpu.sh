#!/usr/bin/env bash
# Everything that needs a GPU of NVIDIA: builds for it, runs the tests of the GPU backend, the benchmarks, and PyTorch beside them
# where it is installed. Without a GPU it says so, and that is no failure.  benchmarks/gpu.sh [build folder]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1-build/gpu}

if ! command -v nvidia-smi > /dev/null || ! nvidia-smi -L 2> /dev/null | grep -q GPU; then
  echo "gpu.sh: found no GPU of NVIDIA here (nvidia-smi lists none), so nothing was built, tested or measured"
  exit 0
fi
export PATH="$PATH:/usr/local/cuda/bin"
if ! command -v nvcc > /dev/null; then
  echo "gpu.sh: found a GPU, but no nvcc: install the CUDA Toolkit, or add its bin folder to PATH" >&2
  exit 2
fi
step() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
step "build"
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRWKV_GPU_SYSTEM=CUDA -DCMAKE_CUDA_ARCHITECTURES=native \
  -DRWKV_BUILD_EXAMPLES=OFF > "$build/configure.log" 2>&1 ||
  { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target gpu_table gpu_test gpu_fault

step "tests: conformance, laws, training on the GPU, a kernel that fails"
failed=0
ctest --test-dir "$build" -L gpu --output-on-failure || failed=1

step "PyTorch"
beside="$build/torch.tsv"
: > "$beside"
if python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
  timeout 150 python3 benchmarks/gpu/torch_beside.py | tee "$beside" || echo "stopped: what is missing was not measured"
else
  echo "not installed, or without this GPU: not measured"
fi

step "kernels and models"
"$build/benchmarks/gpu_table" "$beside" || failed=1
step "done"
exit $failed
