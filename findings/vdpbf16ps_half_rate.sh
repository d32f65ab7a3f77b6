#!/bin/sh
# A good guess: vdpbf16ps multiplies twice as many numbers as an FMA of floats, so that bf16 give twice the operations a
# second, as they do on AMD's Zen 4 and 5.
#
# Intel Xeon of family 6, model 207 (Emerald Rapids, 2.1 GHz; run 2026-11-30): it gives half of what floats give. A
# kernel that widens bf16 and multiplies floats is faster there than one of vdpbf16ps, which compilers' __AVX512BF16__
# does not tell.
#
# Seen: fma 163 G operations/s, vdpbf16ps 81; vdpbf16ps / fma 0.50 in each of five runs, also while the other core worked.
set -eu
grep -q avx512_bf16 /proc/cpuinfo || { echo "this needs a processor with AVX512-BF16"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ziglang==0.13.0
cat > "$folder/rates.c" <<'C'
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}
enum { sums = 16, times = 20000, rounds = 2000 };

/* Sixteen sums, so that none waits for another; the least time of many short runs. */
#define MEASURE(seconds, add)                                   \
  for (int r = 0; r < rounds; ++r) {                            \
    const double start = now();                                 \
    for (int i = 0; i < times; ++i) {                           \
      for (int j = 0; j < sums; ++j) s[j] = add;                \
      __asm__ volatile("" : "+v"(x));                           \
    }                                                           \
    for (int j = 0; j < sums; ++j) __asm__ volatile("" : "+v"(s[j])); \
    const double took = now() - start;                          \
    if (took < seconds) seconds = took;                         \
  }

int main(void) {
  __m512 s[sums], x = _mm512_set1_ps(0.5f);
  const __m512 y = _mm512_set1_ps(0.25f);
  double fma = 1e9, pairs = 1e9;
  for (int j = 0; j < sums; ++j) s[j] = _mm512_set1_ps(1.0f + j);
  MEASURE(fma, _mm512_fmadd_ps(x, y, s[j]))
  for (int j = 0; j < sums; ++j) s[j] = _mm512_set1_ps(1.0f + j);
  MEASURE(pairs, _mm512_dpbf16_ps(s[j], (__m512bh)x, (__m512bh)y))
  float total = 0;
  for (int j = 0; j < sums; ++j) total += _mm512_reduce_add_ps(s[j]);
  const double of_fma = 2e-9 * 16 * sums * times / fma, of_pairs = 2e-9 * 32 * sums * times / pairs;
  printf("fma %.0f G operations/s, vdpbf16ps %.0f, ratio %.2f (%g)\n", of_fma, of_pairs, of_pairs / of_fma, total);
  return of_pairs / of_fma > 0.4 && of_pairs / of_fma < 0.6 ? 0 : 1;
}
C
"$folder/venv/bin/python" -m ziglang cc -O2 -mcpu=x86_64_v4+avx512bf16 -o "$folder/rates" "$folder/rates.c"
grep -m1 "model name" /proc/cpuinfo
"$folder/rates" || { echo "the ratio is another: not one of these processors, or a newer one"; exit 1; }
