# long_texts.sh DONE OUT COMMAND...: asks a copy of the finished study in DONE how its models fare in long texts. They are
# measured once, without training again; a measurement that is lost is made again, to the same losses; a damaged one is refused.
done=$1 out=$2
shift 2
file=$out/runs/gpt2-seed2/length.300x6.csv

again() {
  said=$(timeout 100 "$@" --out "$out" --length 300 --length-windows 6 --write-to 300 2>&1)
}
fail() {
  echo "$1; it said: $said"
  exit 1
}

rm -rf "$out"
cp -r "$done" "$out"
again "$@" || fail "could not measure"
case $said in
  *"run 1 of"*) fail "trained again" ;;
  *measuring*"gpt2, trained on 32 characters at once, has "*" at positions 16 to 31, and "*" at positions 256 to 299 (standard error "*) ;;
  *) fail "measured nothing" ;;
esac
cp "$file" "$out/before"
again "$@" || fail "could not go on"
case $said in *measuring*) fail "measured again" ;; esac
rm "$file"
again "$@" && cmp "$file" "$out/before" || fail "measured otherwise"
sed 3d "$out/before" > "$file"
again "$@" && fail "took a damaged file"
case $said in *"length.300x6.csv: expected 6 windows, found 5; remove it and repeat the command"*) ;; *) fail "did not say what is damaged" ;; esac
mv "$out/before" "$file"
