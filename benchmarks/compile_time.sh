#!/usr/bin/env bash
# What a program that trains costs to compile: benchmarks/compile_time.sh [runs, default 3]
# Depth must not matter: fails when 24 blocks take more than 1.15 times as long as 2. Also compiles the README's first
# program, which may take 8 s and 700 MB, with its own model and with those of RWKV-4 and 7. Processor seconds, quickest of the runs; CXX and CXXFLAGS choose the compiler and its flags.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-3}
cxx=${CXX:-g++}
read -r -a flags <<<"${CXXFLAGS:--O2}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

eigen=/usr/include/eigen3
if command -v pkg-config >/dev/null && pkg-config --exists eigen3; then
  eigen=$(pkg-config --variable=prefix eigen3)/include/eigen3
fi

# compile FILE: prints "<processor seconds> <peak MB>", MB being 0 where GNU time is not installed
compile() {
  local command=("$cxx" -std=c++20 "${flags[@]}" -Iinclude "-I$eigen" -c "$1" -o "$folder/out.o")
  if [ -x /usr/bin/time ]; then
    /usr/bin/time -q -f '%U %S %M' -o "$folder/cost" "${command[@]}"
    awk '{printf "%.2f %d\n", $1 + $2, $3 / 1024}' "$folder/cost"
  else
    local TIMEFORMAT='%U %S'
    { time "${command[@]}" 2>"$folder/complaint"; } 2>"$folder/cost" || { cat "$folder/complaint" >&2; return 1; }
    awk '{printf "%.2f 0\n", $1 + $2}' "$folder/cost"
  fi
}

# Keeps the quicker of two costs.
quicker() { printf '%s\n%s\n' "$1" "$2" | sort -n | head -n 1; }

program() {
  cat <<CODE
#include <rwkv/backend/cpu.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/models/v4.hpp>
using namespace rwkv;
using Net = v4::Model<256, 64, $1>;

int main() {
  using B = Cpu<float>;
  const Seq seq{2, 8};
  Model<Net> model;
  Owned<B, Net::Params<B>> gradient;
  Owned<B, Net::Cache<B>> cache(seq);
  auto state = Model<Net>::fresh_state(2), ds = state;
  Context<B> context;
  TensorOf<B, Net::In> ids{nullptr, seq}, nowhere{nullptr, seq};
  const auto y = Net::forward(context, model.params, ids, cache, state);
  Net::backward(context, model.params, cache, y, nowhere, gradient, ds);
}
CODE
}

program 2 >"$folder/2.cpp"
program 24 >"$folder/24.cpp"
shallow=$(compile "$folder/2.cpp")
deep=$(compile "$folder/24.cpp")
for ((i = 1; i < runs; ++i)); do
  shallow=$(quicker "$shallow" "$(compile "$folder/2.cpp")")
  deep=$(quicker "$deep" "$(compile "$folder/24.cpp")")
done
ratio=$(echo "$shallow $deep" | awk '{printf "%.3f", $3 / $1}')
echo "$("$cxx" --version | head -n 1), ${flags[*]}"
echo "depth  2: ${shallow/ / s, } MB"
echo "depth 24: ${deep/ / s, } MB"
echo "ratio $ratio (at most 1.15)"
status=0
awk "BEGIN {exit !($ratio > 1.15)}" && { echo "depth shows in compile time"; status=1; }

if [ -e README.md ]; then
  awk '/^```cpp$/ {inside = 1; next} /^```/ {if (inside) exit} inside' README.md >"$folder/hero.cpp"
  hero=$(compile "$folder/hero.cpp")
  for ((i = 1; i < runs; ++i)); do hero=$(quicker "$hero" "$(compile "$folder/hero.cpp")"); done
  echo "README:   ${hero/ / s, } MB (at most 8 s, 700 MB)"
  echo "$hero" | awk '{exit !($1 > 8 || $2 > 700)}' && { echo "the README's program has become expensive"; status=1; }

  # The same program with a model of the library's: of RWKV-7 it may take 1.4 times as long as of RWKV-4.
  for version in v4 v7; do
    awk -v model="$version" '/^#include/ && !n++ {print "#include <rwkv/models/" model ".hpp>"}
      /^int main/ {print "struct Poet : " model "::Model<256, 64, 4> {};\n"; skip = 0}
      /^(template|struct)/ {skip = 1} !skip' "$folder/hero.cpp" >"$folder/$version.cpp"
  done
  v4=$(compile "$folder/v4.cpp") v7=$(compile "$folder/v7.cpp")
  for ((i = 1; i < runs; ++i)); do
    v4=$(quicker "$v4" "$(compile "$folder/v4.cpp")")
    v7=$(quicker "$v7" "$(compile "$folder/v7.cpp")")
  done
  ratio=$(echo "$v4 $v7" | awk '{printf "%.3f", $3 / $1}')
  echo "RWKV-4:   ${v4/ / s, } MB"
  echo "RWKV-7:   ${v7/ / s, } MB, ratio $ratio (at most 1.4)"
  awk "BEGIN {exit !($ratio > 1.4)}" && { echo "RWKV-7 has become expensive"; status=1; }
fi
exit $status
