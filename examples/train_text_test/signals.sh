# signals.sh OUT COMMAND...: a run that gets a signal finishes the step, saves, and ends with the status of that signal;
# one that ignores SIGHUP, as under nohup, goes on.
out=$1
shift
rm -rf "$out"
lines() {
  cat "$run/log.csv" 2> /dev/null | wc -l
}
# Starts a run without end, and waits until it has made steps.
start() {
  before=$(lines)
  "$@" --out "$run" --steps 1000000 --resume > "$out.txt" 2>&1 &
  child=$!
  for i in $(seq 600); do
    if [ "$(lines)" -gt $((before + 1)) ]; then return; fi
    kill -0 $child 2> /dev/null || break
    sleep 0.1
  done
  echo "the run did not begin"; cat "$out.txt"; exit 1
}
fail() {
  echo "$1"; cat "$out.txt"; kill -KILL $child 2> /dev/null; exit 1
}
for signal in TERM:143 HUP:129 TERM:143; do
  run=$out/${signal%:*}
  start "$@"
  kill -s "${signal%:*}" $child
  wait $child
  status=$?
  [ $status = "${signal#*:}" ] || fail "SIG${signal%:*}: expected status ${signal#*:}, found $status"
  grep -q "interrupted and saved" "$out.txt" || fail "SIG${signal%:*}: nothing was said"
  [ -s "$run/resume.safetensors" ] || fail "SIG${signal%:*}: nothing was saved"
done
grep -q "resumed at step" "$out.txt" || fail "the second run of a folder was not resumed"
trap '' HUP INT
run=$out/ignored
start "$@"
before=$(lines)
kill -s HUP $child
kill -s INT $child
for i in $(seq 600); do
  if [ "$(lines)" -gt $((before + 2)) ]; then break; fi
  kill -0 $child 2> /dev/null || fail "an ignored signal ended the run"
  sleep 0.1
done
kill -s TERM $child
wait $child
[ $? = 143 ] || fail "the run that ignored SIGHUP did not end with SIGTERM"
