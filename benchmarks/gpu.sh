#!/usr/bin/env bash
# Everything that needs a GPU of NVIDIA, in a few minutes:
#   benchmarks/gpu.sh [folder of programs] [folder for logs, that of the programs] [seconds for all, 540]
# The programs are built elsewhere, by benchmarks/gpu_build.sh, so that a machine with a driver is enough; where they are missing
# and nvcc is at hand, they are built first, which does not count. RWKV_GPU_PARTS="every suite" runs some parts alone. Each has a
# log, logs.tar.gz holds all. The status is not 0 if anything failed or was not run for want of time, or if there is no GPU.
set -uo pipefail
here=$(realpath "$(dirname "$0")/..")
programs=$(realpath -m "${1-$here/build/gpu_programs}")
logs=$(realpath -m "${2-$programs}")
deadline=${3-540}
all="every fault suite memcheck racecheck synccheck torch table decode train"
parts=${RWKV_GPU_PARTS:-$all}
failed=""

if ! [[ $deadline =~ ^[1-9][0-9]*$ ]]; then
  echo "gpu.sh: expected a number of seconds from 1 on, found \"$deadline\"" >&2
  exit 2
fi
if [ -z "${parts// /}" ]; then
  echo "gpu.sh: RWKV_GPU_PARTS: expected some of \"$all\", found none" >&2
  exit 2
fi
for part in $parts; do
  if [[ " $all " != *" $part "* ]]; then
    echo "gpu.sh: RWKV_GPU_PARTS: expected some of \"$all\", found \"$part\"" >&2
    exit 2
  fi
done
if [[ $(nvidia-smi -L 2> /dev/null) != *GPU* ]]; then
  echo "gpu.sh: expected a GPU of NVIDIA, found none (nvidia-smi lists none, or is missing): nothing was tested or measured" >&2
  exit 1
fi
cd "$here" || exit
export PATH="$PATH:/usr/local/cuda/bin"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
if [ ! -x "$programs/gpu_table" ]; then
  echo "== no programs in $programs: building them"
  benchmarks/gpu_build.sh "$programs" native || exit 1
  SECONDS=0
fi
mkdir -p "$logs"

# folder_of LIBRARY: where it is: beside PyTorch, in a toolkit, or anywhere.
folder_of() {
  local folder
  # shellcheck disable=SC2046  # a list of folders
  for folder in $(python3 -c 'import glob, sys; print(*(f for p in sys.path for f in glob.glob(p + "/nvidia/*/lib")))' \
    2> /dev/null) /usr/local/cuda*/lib64; do
    if [ -e "$folder/$1" ]; then
      echo "$folder"
      return
    fi
  done
  timeout 60 find / \( -path /proc -o -path /sys \) -prune -o -name "$1" -not -path '*/stubs/*' -printf '%h\n' -quit 2> /dev/null
}
for library in $(ldd "$programs/gpu_table" 2> /dev/null | sed -n 's/^\s*\(\S*\) => not found$/\1/p'); do
  folder=$(folder_of "$library")
  if [ -z "$folder" ]; then
    echo "gpu.sh: expected $library, which the programs need, found it nowhere; install the CUDA Toolkit or PyTorch" >&2
    exit 1
  fi
  export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done

chosen() { [[ " $parts " == *" $1 "* ]]; }

# absent PART WHY: a tool that is not there is a failure where the part was asked for by name.
absent() {
  printf '\n== %s: %s: not run\n' "$1" "$2"
  if [ -n "${RWKV_GPU_PARTS-}" ]; then failed+=" $1"; fi
}

# try PART SECONDS COMMAND...: if it was chosen, at most so long, and no longer than until the deadline. Its output goes to a log
# and, the end of it, here; the table in full. A skip counts as a failure: there is a GPU.
try() {
  local part=$1 limit=$2 left=$((deadline - SECONDS)) status=0
  shift 2
  chosen "$part" || return 0
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  if [ "$limit" -le 0 ]; then
    printf '\n== %s: not run, no time was left of %d s\n' "$part" "$deadline"
    failed+=" $part"
    return
  fi
  printf '\n== %s (after %d s, at most %d s)\n' "$part" "$SECONDS" "$limit"
  timeout -k 5 "$limit" "$@" > "$logs/$part.log" 2>&1 || status=$?
  if [ "$part" = table ]; then cat "$logs/$part.log"; else tail -n 40 "$logs/$part.log"; fi
  case $status in
    0) return ;;
    124 | 137) echo "gpu.sh: $part was stopped after $limit s" ;;
    *) echo "gpu.sh: $part ended with status $status" ;;
  esac
  failed+=" $part"
}

try every 60 "$programs/gpu_every"
try fault 30 bash -c "'$programs/gpu_fault' | tee -a /dev/stderr | grep 'Gpu::download: cuda.*a kernel that was started before' > /dev/null"
try suite 120 "$programs/gpu_test"
for tool in memcheck racecheck synccheck; do
  if command -v compute-sanitizer > /dev/null; then
    try "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 1 "$programs/gpu_every"
  elif chosen "$tool"; then
    absent "$tool" "no compute-sanitizer here"
  fi
done
if chosen torch; then
  if python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
    try torch $((deadline - SECONDS - 180)) python3 benchmarks/gpu/torch_beside.py  # the rest is for the programs below
  else
    absent torch "no PyTorch here that finds the GPU"
  fi
fi
chosen table && touch "$logs/torch.log"  # empty: nothing to compare with
try table 120 "$programs/gpu_table" "$logs/torch.log"
try decode 30 "$programs/decode_speed" --device gpu --precision bf16
try train 60 "$programs/train_speed" --device gpu --precision bf16 --size 768x12 --context 1024

find "$logs" -maxdepth 1 -name '*.log' -printf '%f\0' | tar -C "$logs" -czf "$logs/logs.tar.gz" --null -T -
printf '\n== done in %d s%s\n' "$SECONDS" "${failed:+; failed:$failed}"
[ -z "$failed" ]
