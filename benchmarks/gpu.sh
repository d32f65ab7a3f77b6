#!/usr/bin/env bash
# Everything that needs a GPU of NVIDIA, in a few minutes: benchmarks/gpu.sh [folder of programs]
# The folder holds programs that were built elsewhere, by benchmarks/gpu_build.sh; a machine with a driver is enough. Without it,
# where nvcc is at hand, they are built first. Every program has a log beside it; the status is not 0 if anything failed, or if
# there is no GPU.
set -uo pipefail
cd "$(dirname "$0")/.."
programs=${1-build/gpu_programs}
failed=""

if ! nvidia-smi -L 2> /dev/null | grep -q GPU; then
  echo "gpu.sh: expected a GPU of NVIDIA, found none (nvidia-smi lists none, or is missing): nothing was tested or measured" >&2
  exit 1
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
if [ ! -x "$programs/gpu_table" ]; then
  echo "== no programs in $programs: building them"
  benchmarks/gpu_build.sh "$programs" native || exit 1
fi

# CUDA's libraries, wherever they are: of a toolkit, or beside PyTorch.
for library in libcublasLt.so libcublas.so; do
  needed=$(ldd "$programs/gpu_table" | grep -o "$library\.[0-9]*" | head -n 1)
  if ldd "$programs/gpu_table" | grep -q "$needed => not found"; then
    found=$(find / -xdev -name "$needed" -not -path '*/stubs/*' 2> /dev/null | head -n 1)
    if [ -z "$found" ]; then
      echo "gpu.sh: expected $needed, which the programs need, found it nowhere; install the CUDA Toolkit or PyTorch" >&2
      exit 1
    fi
    export LD_LIBRARY_PATH="$(dirname "$found")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
done

# try NAME SECONDS COMMAND...: its output goes to a log and, the end of it, here. A skip counts as a failure: there is a GPU.
try() {
  local name=$1 limit=$2 status=0
  shift 2
  printf '\n== %s (after %d s)\n' "$name" "$SECONDS"
  timeout "$limit" "$@" > "$programs/$name.log" 2>&1 || status=$?
  tail -n 40 "$programs/$name.log"
  [ "$status" = 0 ] || { echo "gpu.sh: $name ended with status $status"; failed+=" $name"; }
}

try every 60 "$programs/gpu_every"
try fault 30 bash -c "'$programs/gpu_fault' | tee /dev/stderr | grep -q 'Gpu::download: cuda.*a kernel that was started before'"
try table 120 "$programs/gpu_table"
try suite 120 "$programs/gpu_test"
try decode 30 "$programs/decode_speed" --device gpu --precision bf16
try train 60 "$programs/train_speed" --device gpu --precision bf16 --size 768x12 --context 1024
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck synccheck; do
    try "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 1 "$programs/gpu_every"
  done
else
  echo "gpu.sh: no compute-sanitizer here: memory and races were not checked"
fi
if python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
  try torch 120 python3 benchmarks/gpu/torch_beside.py
  try beside 60 "$programs/gpu_table" "$programs/torch.log"
else
  printf '\n== PyTorch: not installed, or without this GPU: not measured\n'
fi

printf '\n== done in %d s%s\n' "$SECONDS" "${failed:+; failed:$failed}"
[ -z "$failed" ]
