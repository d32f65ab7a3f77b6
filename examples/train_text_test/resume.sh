# resume.sh OUT TEXT COMMAND...: what a run that is not the same is answered, and that one that is the same goes on.
out=$1 text=$2
shift 2
rm -rf "$out" "$out.other.txt"
fail() {
  echo "$1"; exit 1
}
# refused WORDS OPTIONS...: the run is answered so, and nothing in the folder changes.
refused() {
  words=$1
  shift
  said=$("$@" 2>&1) && fail "expected \"$words\", found no error"
  case $said in
    *"$words"*) ;;
    *) fail "expected \"$words\", found \"$said\"" ;;
  esac
}
"$@" --out "$out" --text "$text" --steps 4 > "$out.txt" || fail "no run"
tr ea ae < "$text" > "$out.other.txt"
before=$(cksum "$out"/*)
set -- "$@" --out "$out" --resume
refused "--text: the run has " "$@" --text "$out.other.txt"
refused "--rate: the run has 0.0006, found 0.001;" "$@" --text "$text" --rate 0.001
refused "--curve: the run has constant, found cosine" "$@" --text "$text" --curve cosine
refused "--clip: the run has 1, found 2;" "$@" --text "$text" --clip 2
refused "--gradients: the run has nothing, found bf16;" "$@" --text "$text" --gradients bf16
refused "--decay: the run has 0.1, found 0.2;" "$@" --text "$text" --decay 0.2
refused "--warmup: the run has 20, found 5;" "$@" --text "$text" --warmup 5
refused "--batches: the run has random windows, found contiguous, " "$@" --text "$text" --batches contiguous
refused "--seed: the run has 1, found 2;" "$@" --text "$text" --seed 2
refused "the text of --valid: the run has " "$@" --text "$text" --valid "$out.other.txt"
refused "--text $out/log.csv: is $out/log.csv, which the run would replace" "$@" --text "$out/log.csv"
refused "--valid $out/model.safetensors: is " "$@" --text "$text" --valid "$out/model.safetensors"
[ "$before" = "$(cksum "$out"/*)" ] || fail "a run that was refused changed the folder"
loss=$(grep -o "loss [0-9.]*, validation loss [0-9.]*" "$out.txt")
said=$("$@" --text "$text" --steps 2) || fail "a finished run ended with an error"
case $said in
  *"step 4 of 2: $loss nats per token"*"had finished, and nothing was changed"*) ;;
  *) fail "expected step 4 of 2 and $loss, found $said" ;;
esac
[ "$before" = "$(cksum "$out"/*)" ] || fail "a run that had finished changed the folder"
"$@" --text "$text" --steps 8 --valid-every 3 --save-every 1 || fail "the same run was refused"
