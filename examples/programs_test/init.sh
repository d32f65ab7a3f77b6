# init.sh OUT TEXT START COMMAND...: a run that starts from a model's file goes on from its numbers, and resumes exactly.
. "$(dirname "$0")/say.sh"
out=$1 text=$2 start=$3
shift 3
rm -rf "$out"
set -- "$@" --text "$text" --valid "$text" --valid-every 0
"$@" --init "$start" --out "$out/cut" --steps 3 || exit 1
"$@" --init "$start" --out "$out/cut" --steps 6 --resume || exit 1
"$@" --init "$start" --out "$out/whole" --steps 6 || exit 1
cmp "$out/cut/model.safetensors" "$out/whole/model.safetensors" || exit 1
first() {
  awk -F, 'NR == 2 { print $2 }' "$1/log.csv"
}
"$@" --out "$out/afresh" --steps 1 || exit 1
awk -v a="$(first "$out/whole")" -v b="$(first "$out/afresh")" 'BEGIN { exit !(a > 0 && a + 1 < b) }' ||
  fail "expected the first loss to be far below that of a model that knows nothing"
before=$(cksum "$out/cut"/*)
refused "--init: the run has " "$@" --init "$out/whole/model.safetensors" --out "$out/cut" --steps 9 --resume
refused ", found nothing" "$@" --out "$out/cut" --steps 9 --resume
refused "--init $out/cut/model.safetensors: is " "$@" --init "$out/cut/model.safetensors" --out "$out/cut"
[ "$before" = "$(cksum "$out/cut"/*)" ] || fail "a run that was refused changed the folder"
refused "--tokenizer: expected that of the model to start from, found bytes" "$@" --init "$start" --tokenizer bytes
refused "--init excludes --size" "$@" --init "$start" --size 128x4
