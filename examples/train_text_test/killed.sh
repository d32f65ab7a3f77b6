# killed.sh OUT COMMAND...: a run without end is killed at moments that nobody chose until it was killed often enough
# after it had saved something new; then it ends as one that nobody killed, to the last bit.
out=$1
shift
rm -rf "$out"
steps=24
"$@" --out "$out/whole" --steps $steps --save-every 1 > "$out.txt" 2>&1 || { cat "$out.txt"; exit 1; }
counted=0 rounds=0 before=none
while [ $counted -lt 5 ] && [ $rounds -lt 60 ]; do
  rounds=$((rounds + 1))
  "$@" --out "$out/killed" --steps $steps --save-every 1 --resume > "$out.txt" 2>&1 &
  child=$!
  sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%02d", 5 + $1 % 95 }')"
  kill -KILL $child 2> /dev/null
  wait $child
  case $? in
    137) ;;
    0) break ;;  # it came to its end
    *) echo "round $rounds:"; cat "$out.txt"; exit 1 ;;
  esac
  now=$(cksum "$out/killed/resume.safetensors" 2> /dev/null) || now=none
  if [ "$now" != "$before" ]; then counted=$((counted + 1)); fi
  before=$now
done
if [ $counted -lt 2 ]; then echo "only $counted of $rounds kills came after something was saved"; exit 1; fi
"$@" --out "$out/killed" --steps $steps --save-every 1 --resume > "$out.txt" 2>&1 || { cat "$out.txt"; exit 1; }
for name in model resume; do
  cmp "$out/whole/$name.safetensors" "$out/killed/$name.safetensors" || exit 1
done
for run in whole killed; do cut -d, -f1-5 "$out/$run/log.csv" > "$out/$run.csv"; done
cmp "$out/whole.csv" "$out/killed.csv" && echo "$counted of $rounds kills came after something was saved"
