#!/bin/sh
# A good guess: what g++ takes as C++20 host code, nvcc, which calls it, takes in a .cu file.
#
# nvcc 13.0.88 (run 2026-12-01) refuses two loops, each only within a template:
#   1. over braces of members of a dependent type: its front end hands `for (x : {p.a, p.b})` on to g++ as
#      `for (x : ({(p.a), (p.b)}))`, a statement expression, which g++ then cannot parse;
#   2. over a static array whose bound its braces say: "an array of unknown size". Where the same array's sizeof was
#      asked for before, it compiles; so it does with the bound written out.
# nvcc 13.1.115 takes both.
#
# Seen:
#   13.0.88   braces: error: expected ';' before '}' token   array: error: ... an array of unknown size
#   13.0.88   array after sizeof: compiled
#   13.1.115  all three: compiled
# Needs g++ beside what all need: nvcc calls it. No GPU.
set -eu
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/braces.cu" <<'C'
#include <initializer_list>
struct Pair {
  int a, b;
};
template <class P>
int sum(const P& p) {
  int all = 0;
  for (const int x : {p.a, p.b}) all += x;
  return all;
}
int main() { return sum(Pair{1, -1}); }
C
cat > "$folder/array.cu" <<'C'
template <int... numbers>
struct List {
  static constexpr int all[] = {numbers...};
  static constexpr int sum() {
    int total = 0;
    for (const int x : all) total += x;
    return total;
  }
};
#ifdef SIZEOF_FIRST
static_assert(sizeof List<1, 2>::all == 2 * sizeof(int));
#endif
static_assert(List<1, 2>::sum() == 3);
int main() {}
C
(echo '#define SIZEOF_FIRST' && cat "$folder/array.cu") > "$folder/sizeof_array.cu"
programs="braces array sizeof_array"
for program in $programs; do g++ -std=c++20 -fsyntax-only -x c++ "$folder/$program.cu"; done

compile() {
  version=$1 runtime=$2
  rm -rf "$folder/venv"
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet nvidia-cuda-nvcc==$version nvidia-nvvm==$version nvidia-cuda-crt==$version \
    nvidia-cuda-runtime==$runtime
  nvcc=$(find "$folder/venv" -name nvcc -type f)
  for program in $programs; do
    if "$nvcc" -std=c++20 -c -o "$folder/out.o" "$folder/$program.cu" > "$folder/$program.said" 2>&1; then
      echo compiled > "$folder/$program.said"
    fi
    echo "$version $program: $(grep -m 1 -e error -e compiled "$folder/$program.said")"
  done
}
compile 13.0.88 13.0.88
grep -q "error: expected .*;.* before .*}.* token" "$folder/braces.said"
grep -q "array of unknown size" "$folder/array.said"
grep -qx compiled "$folder/sizeof_array.said"
compile 13.1.115 13.1.80
for program in $programs; do grep -qx compiled "$folder/$program.said"; done
