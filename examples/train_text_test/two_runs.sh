# two_runs.sh OUT COMMAND...: while one run is in a folder, another is refused; after a kill, the folder is free.
out=$1
shift
rm -rf "$out"
"$@" --out "$out" --steps 1000000 > "$out.txt" 2>&1 &
child=$!
for i in $(seq 600); do
  if [ "$(cat "$out/log.csv" 2> /dev/null | wc -l)" -gt 1 ]; then break; fi
  sleep 0.1
done
"$@" --out "$out" --steps 4
status=$?
kill -KILL $child
wait $child
[ $status = 2 ] || { echo "the second run ended with $status"; exit 1; }
"$@" --out "$out" --steps 4 --resume || exit 1
