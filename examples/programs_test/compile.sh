# compile.sh OUT PROGRAMS TOKENIZER DOCUMENTS: two runs at once want a net that they lack and compile it once; from then on it
# is there, for other programs too, unless somebody else might have put it there.
. "$(dirname "$0")/say.sh"
out=$1 programs=$2 tokenizer=$3 documents=$4
rm -rf "$out"
mkdir -p "$out"
export XDG_CACHE_HOME="$out/cache"
set -- "$programs/train_text" --model rwkv7 --size 64x2 --tokenizer "$tokenizer" --text "$documents" --valid "$documents" \
  --valid-every 0 --batch 2 --context 16 --steps 2 --threads 1
refused "with --compile" "$@" --out "$out/none"
"$@" --out "$out/a" --compile > "$out/a.txt" 2>&1 &
first=$!
"$@" --out "$out/b" --compile > "$out/b.txt" 2>&1 || { cat "$out/b.txt"; exit 1; }
wait $first || { cat "$out/a.txt"; exit 1; }
count=$(cat "$out/a.txt" "$out/b.txt" | grep -c "^compiling v7::Model<.*, 64, 2>, once")
[ "$count" = 1 ] || fail "expected it to be compiled once, found $count times"
cmp "$out/a/model.safetensors" "$out/b/model.safetensors" || exit 1
said=$("$programs/write" --model "$out/a/model.safetensors" --compile --tokens 5 --prompt once 2>&1) || fail "$said"
case $said in
  once*) ;;
  *) fail "expected the prompt and what follows, found \"$said\"" ;;
esac
"$programs/evaluate" --model "$out/a/model.safetensors" --compile --text "$documents" --lambada "$documents" || exit 1
refused "with --compile" "$programs/write" --model "$out/a/model.safetensors"
chmod 755 "$out/cache/rwkv"
refused "expected a folder that nobody else may enter, found permissions 755" \
  "$programs/write" --model "$out/a/model.safetensors" --compile
mv "$out/cache/rwkv" "$out/elsewhere"
chmod 700 "$out/elsewhere"
ln -s "$out/elsewhere" "$out/cache/rwkv"
refused "expected a folder, found a link" "$programs/write" --model "$out/a/model.safetensors" --compile
