#!/bin/sh
# A good guess: a pinned compiler from PyPI is that compiler, as a pinned wheel of torch is that torch; where parts of
# it are packages of their own, it asks for their versions, or `pip check` complains.
#
# nvidia-cuda-nvcc 13.0.88 to 13.4.92 (run 2026-12-01): its parts (nvidia-nvvm with cicc, nvidia-cuda-crt,
# nvidia-cuda-runtime) are required without a version, so a pinned compiler takes the newest of them, which pip finds
# in order. cicc of 13.5 writes PTX 9.5 for the ptxas of 13.0, which refuses it: not even an empty kernel compiles.
# Only with nvidia-nvvm pinned to the same version, too, does it. The pins below are what
# `pip install nvidia-cuda-nvcc==13.0.88` chose on that day.
#
# Seen:
#   requires: nvidia-cuda-crt nvidia-cuda-runtime nvidia-nvvm
#   No broken requirements found.
#   nvcc 13.0.88, nvvm 13.5.37: ptxas ... Unsupported .version 9.5; current version is '9.0'
#   nvcc 13.0.88, nvvm 13.0.88: compiled
# Needs g++ beside what all need: nvcc calls it. No GPU.
set -eu
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
install() { "$folder/venv/bin/pip" install --quiet "$@"; }
install nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.5.37 nvidia-cuda-crt==13.5.37 nvidia-cuda-runtime==13.5.37
"$folder/venv/bin/python" - <<'P'
from importlib.metadata import requires

parts = sorted(requires("nvidia-cuda-nvcc"))
print("requires:", *parts)
assert parts == ["nvidia-cuda-crt", "nvidia-cuda-runtime", "nvidia-nvvm"]
P
"$folder/venv/bin/pip" check
nvcc=$(find "$folder/venv" -name nvcc -type f)
echo '__global__ void nothing() {}' > "$folder/nothing.cu"
compile() { "$nvcc" -cubin -arch=sm_90 -o "$folder/nothing.cubin" "$folder/nothing.cu"; }

if compile > "$folder/said" 2>&1; then
  echo "nvcc 13.0.88, nvvm 13.5.37: compiled, which it did not"
  exit 1
fi
echo "nvcc 13.0.88, nvvm 13.5.37: $(grep -m 1 '^ptxas' "$folder/said")"
grep -q "Unsupported .version 9.5; current version is '9.0'" "$folder/said"
install nvidia-nvvm==13.0.88
compile
echo "nvcc 13.0.88, nvvm 13.0.88: compiled"
