# ranks.sh OUT TEXT MPIEXEC COMMAND...: a run of several ranks is the run of one, goes on with any number of them, says everything
# once, and ends in all: by a signal or a kill that one gets, by a full disk, by texts or batches that do not fit.
out=$1 text=$2 mpiexec=$3
shift 3
four="--batch 4"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none \
  OMPI_MCA_mpi_yield_when_idle=1
rm -rf "$out"
mkdir -p "$out"
fail() {
  echo "$1"; cat "$out/said.txt"; exit 1
}
# ranks NUMBER COMMAND...: each rank keeps the number of its process, and finds its own in $RANK.
ranks() {
  number=$1
  shift
  exec "$mpiexec" -n "$number" sh -c \
    'export RANK="${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"; echo $$ > "$0/pid$RANK"; trap "" XFSZ; eval "exec $*"' "$out" "$@" > "$out/said.txt" 2>&1
}
once() {
  [ "$(grep -c -- "$1" "$out/said.txt")" = 1 ] || fail "expected \"$1\" once"
}
"$@" $four --text "$text" --steps 12 --out "$out/alone" > "$out/said.txt" 2>&1 || fail "no run alone"
once "train_text: one rank alone"
(ranks 2 "$@" $four --text "$text" --steps 4 --out "$out/ranks" --sharded) || fail "no run of two ranks"
once "step 4 of 4"
(ranks 4 "$@" $four --text "$text" --steps 8 --out "$out/ranks" --resume --sharded) || fail "four ranks do not go on"
once "resumed at step 4"
"$@" $four --text "$text" --steps 12 --out "$out/ranks" --resume > "$out/said.txt" 2>&1 || fail "one does not go on"
awk -F, 'NR == FNR { loss[$1] = $2; next } $1 != "step" { ++n; off = $2 - loss[$1]; if (off * off > 1e-10) bad = 1 }
  END { exit bad || n != 12 }' "$out/alone/log.csv" "$out/ranks/log.csv" || fail "the losses are not those of one rank"

(ranks 2 "$@" --text "$text" --out "$out/odd" --batch 3) && fail "a batch of 3 was shared out to 2 ranks"
once "train_text: --batch: expected a multiple of 2"
cp "$text" "$out/text0.txt"
tr ea ae < "$text" > "$out/text1.txt"
(ranks 2 "$@" $four --text "$out/text\$RANK.txt" --out "$out/texts") && fail "ranks with other texts were not refused"
once "train_text: --text: expected the same in all 2 ranks"
(ranks 2 "$@" $four --text "$text" --out "$out/summary" "\$(test \$RANK = 1 || echo --summary)") && fail "a summary in one rank"
once "train_text: --summary: expected the same in all 2 ranks"
(ranks 2 "$@" $four --text "$text" --out "$out/help" "\$(test \$RANK = 1 || echo --help)") && fail "one rank alone was asked for help"
once "train_text: --help: expected the same in all 2 ranks"

lines() {
  cat "$out/run/log.csv" 2> /dev/null | wc -l
}
# Starts a run without end, and waits until it has made steps.
start() {
  before=$(lines)
  (ranks 2 "$@" $four --text "$text" --out "$out/run" --steps 1000000 --save-every 1 --resume) &
  child=$!
  for i in $(seq 600); do
    if [ "$(lines)" -gt $((before + 2)) ]; then return; fi
    sleep 0.1
  done
  kill $child
  fail "the run did not begin"
}
start "$@"
kill -s TERM "$(cat "$out/pid1")"
wait $child && fail "a run that was interrupted ended with status 0"
once "interrupted and saved"
start "$@"
kill -s KILL "$(cat "$out/pid1")"
wait $child && fail "a run of which a rank was killed ended with status 0"
start "$@"
prlimit --fsize=4000000 --pid "$(cat "$out/pid0")"
wait $child && fail "a run that cannot be saved ended with status 0"
once "rank 0: .*cannot write"
steps=$(($(lines) + 2))
"$@" $four --text "$text" --out "$out/run" --steps $steps --resume > "$out/said.txt" 2>&1 || fail "the checkpoint was not whole"
once "step $steps of $steps"
