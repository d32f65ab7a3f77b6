# logits.sh OUT EVALUATE MODEL EXPECTED IDS: the logits after these tokens are, within 1e-4, the last row of a .npy file of float32.
. "$(dirname "$0")/say.sh"
out=$1 evaluate=$2 model=$3 expected=$4 ids=$5
mkdir -p "$out"
XDG_CACHE_HOME="$out/cache" "$evaluate" --model "$model" --compile --ids "$ids" --out "$out/logits" || exit 1
numbers() {
  od -An -v -w4 -t f4
}
numbers < "$out/logits" > "$out/found.txt"
tail -c "$(wc -c < "$out/logits")" "$expected" | numbers > "$out/expected.txt"
paste "$out/found.txt" "$out/expected.txt" | awk '
  { d = $1 - $2; if (d < 0) d = -d; if (!(d <= most)) most = d }
  END { print NR " logits, at most " most " apart"; exit !(NR > 1 && most < 1e-4) }'
