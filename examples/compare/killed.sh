# killed.sh DONE OUT COMMAND...: kills a study in the middle, several times, lets it end, and compares it with the one in
# DONE: every loss must be the same to its last digit; only times may differ.
done=$1 out=$2
shift 2
for seconds in 0.3 0.6 1 1.5 2; do
  "$@" --out "$out" &
  sleep $seconds
  kill -KILL $! 2> /dev/null
  wait $!  # until it is gone, and its lock with it
done
"$@" --out "$out" || exit 1
for folder in "$done" "$out"; do
  cut -d, -f1-3,5-6 "$folder/curves.csv"
done | awk '{ n[$0]++ } END { for (line in n) if (n[line] != 2) { print "differs: " line; exit 1 } }' || exit 1
cp "$out/report.html" "$out/report.before"
"$@" --out "$out" && cmp "$out/report.html" "$out/report.before" && rm "$out/report.before"
