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
cmake --build "$build" --target gpu_kernels gpu_test

step "tests: conformance, laws, training on the GPU"
failed=0
"$build/tests/gpu/gpu_test" || failed=1

step "kernels"
"$build/benchmarks/gpu_kernels"
step "PyTorch"
if python3 -c 'import torch' 2> /dev/null; then
  python3 benchmarks/gpu_torch.py
else
  echo "not installed: not measured"
fi
step "done"
exit $failed
