# not_finite.sh OUT CONVERT MODEL: a safetensors file whose first number became NaN is not converted, unless one insists.
. "$(dirname "$0")/say.sh"
out=$1 convert=$2
mkdir -p "$out"
rm -f "$out"/*
header=$(od -An -t u4 -N 4 "$3" | tr -d ' ')
cp "$3" "$out/nan.safetensors"
printf '\000\000\300\177' | dd of="$out/nan.safetensors" bs=1 seek=$((8 + header)) conv=notrunc 2> "$out/dd"
refused "expected finite numbers, found NaN or an infinity at place 0; nothing was written" \
  "$convert" "$out/nan.safetensors" "$out/new.safetensors"
[ ! -e "$out/new.safetensors" ] || fail "it was written"
"$convert" "$out/nan.safetensors" "$out/new.safetensors" --any-numbers || fail "it was refused"
[ -e "$out/new.safetensors" ] || fail "nothing was written"
