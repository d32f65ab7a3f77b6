# killed.sh OUT COMMAND...: a run is killed at moments that nobody chose, until it was killed often enough after it had
# saved something new; then it ends as one that nobody killed, to the last bit.
out=$1
shift
rm -rf "$out"
fail() {
  echo "$1"; cat "$out.txt"; exit 1
}
run() {
  "$@" > "$out.txt" 2>&1
}
counted=0 rounds=0 before=none
while [ $counted -lt 6 ]; do
  rounds=$((rounds + 1))
  [ $rounds -lt 60 ] || fail "only $counted of $rounds kills came after something was saved"
  run exec "$@" --out "$out/killed" --steps 1000000 --save-every 1 --resume &
  child=$!
  sleep "$(od -An -N1 -tu1 /dev/urandom | awk -v round=$rounds '{ print 0.05 + $1 / 256 * (0.5 + round / 20) }')"
  kill -KILL $child
  wait $child 2> /dev/null
  [ $? = 137 ] || fail "round $rounds ended before it was killed"
  now=$(cksum "$out/killed/resume.safetensors" 2> /dev/null) || now=none
  if [ "$now" != "$before" ]; then counted=$((counted + 1)); fi
  before=$now
done
steps=$(($(cat "$out/killed/log.csv" | wc -l) + 2))
for name in killed whole; do
  run "$@" --out "$out/$name" --steps $steps --save-every 1 --resume || fail "the last run of $name failed"
  cut -d, -f1-5 "$out/$name/log.csv" > "$out/$name.csv"
done
for name in model resume; do
  cmp "$out/whole/$name.safetensors" "$out/killed/$name.safetensors" || exit 1
done
cmp "$out/whole.csv" "$out/killed.csv" && echo "$counted of $rounds kills came after something was saved"
