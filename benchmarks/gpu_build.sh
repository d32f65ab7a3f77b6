#!/usr/bin/env bash
# Builds what benchmarks/gpu.sh runs, so that it can be carried to a machine that has a driver and little else:
# benchmarks/gpu_build.sh [folder] [compute capability, 90]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1-build/gpu_programs}
capability=${2-90}
programs="gpu_test gpu_fault gpu_every gpu_table decode_speed train_speed"
export PATH="$PATH:/usr/local/cuda/bin"
if ! command -v nvcc > /dev/null; then
  echo "gpu_build.sh: found no nvcc: install the CUDA Toolkit, or add its bin folder to PATH" >&2
  exit 2
fi
compress=""
if nvcc --help | grep -- --compress-mode > /dev/null; then compress=--compress-mode=size; fi  # a quarter of the bytes
cmake --preset cuda -B build/gpu -DRWKV_NATIVE=OFF -DRWKV_BUILD_EXAMPLES=OFF "-DCMAKE_CUDA_ARCHITECTURES=$capability" \
  -DRWKV_TEST_LIST=Few "-DRWKV_PROGRAM_MODELS=v4::Model<128, 768, 12>;v4::Model<50277, 768, 12>;gpt2::Model<128, 768, 12, 12, 1024>" \
  "-DCMAKE_CUDA_FLAGS=$compress" "-DCMAKE_EXE_LINKER_FLAGS=-static-libstdc++ -static-libgcc -s"
# shellcheck disable=SC2086  # a list of targets
cmake --build build/gpu --target $programs
mkdir -p "$folder"
for program in $programs; do
  find build/gpu -name "$program" -type f -perm -u+x -exec cp {} "$folder" \;
done
du -ch "$folder"/* | tail -n 1
