# length.sh OUT TEXT COMPARE EVALUATE: the losses by position of one window, together, are what `evaluate` says of its text.
out=$1 text=$2
rm -rf "$out"
mkdir "$out"
# evaluate reads token 0 before a text, which is the end of a line: so does a window that begins with one.
(echo && cat "$text") > "$out/valid.txt"
tail -c +2 "$out/valid.txt" | head -c 300 > "$out/window.txt"
"$3" --text "$text" --valid "$out/valid.txt" --models rwkv4 --batch 2 --context 32 --validations 1 --valid-batches 1 --seeds 1 \
  --sample-length 1 --threads 2 --tokens 512 --length 300 --length-windows 1 --out "$out/study" > /dev/null || exit 1
whole=$("$4" --model "$out/study/runs/rwkv4-seed1/model.safetensors" --text "$out/window.txt" | sed -n 's/^text: loss \([0-9.]*\) .*/\1/p')
awk -F, -v whole="$whole" '
  NR > 1 { sum += ($2 - $1 + 1) * $3; n += $2 - $1 + 1 }
  END {
    print "by position " sum / n ", of the whole " whole
    exit !(n == 300 && whole > 0 && sum / n - whole < 1e-4 && whole - sum / n < 1e-4)
  }' "$out/study/length.csv"
