# failed_rank.sh OUT MPIEXEC COMMAND...: the error of a run is said while other ranks are at theirs; these are kept, all ranks fail, and
# the same command goes on.
out=$1 mpiexec=$2
shift 2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
rm -rf "$out"
fail() {
  echo "$1"; cat "$out.txt"; exit 1
}
line() {
  grep -n -- "$1" "$out.txt" | head -n 1 | cut -d: -f1
}
"$@" --models rwkv4 --seeds 1 --out "$out" > "$out.txt" 2>&1 || fail "no study"
mkdir -p "$out/runs/gpt2-seed1/log.csv"
set -- "$mpiexec" -n 2 "$@" --models rwkv4,gpt2 --seeds 2 --out "$out"
"$@" > "$out.txt" 2>&1 && fail "a study of which a run failed ended with status 0"
said=$(line "^compare: rank 1 of 2: .*/log.csv: is not a regular file.*; the other ranks finish their runs")
[ "${said:-99}" -lt "$(line "rwkv4 seed 2  step")" ] || fail "expected the error before the other rank's run was finished"
[ -n "$(line "^compare: rank 1: .*/log.csv: is not a regular file")" ] || fail "expected the error at the end"
[ -s "$out/runs/rwkv4-seed2/finished.txt" ] || fail "the run of the other rank is lost"
[ ! -e "$out/report.html" ] || [ "$(grep -c gpt2 "$out/results.csv")" = 0 ] || fail "a report of what did not run"
rmdir "$out/runs/gpt2-seed1/log.csv"
"$@" > "$out.txt" 2>&1 || fail "the same command does not go on"
[ -z "$(line "rwkv4 seed")" ] || fail "a run was repeated"
