# state.sh OUT WRITE --model MODEL OPTIONS...: what follows a prompt is the same when the state after it was saved, and read by another run.
. "$(dirname "$0")/say.sh"
out=$1
shift
rm -f "$out"
prompt="Permission is"
whole=$("$@" --prompt "$prompt" --save-state "$out") || fail "it ended with an error"
rest=$("$@" --state "$out") || fail "it ended with an error"
[ "$whole" = "$prompt$rest" ] || fail "expected \"$whole\", found \"$prompt$rest\""
more=$("$@" --state "$out" --prompt " and") || fail "it ended with an error"
[ "$(printf '%s' "$more" | cut -c1-4)" = " and" ] || fail "expected the prompt first, found \"$more\""
head -c 100 "$out" > "$out.cut"
refused "$out.cut" "$@" --state "$out.cut"
# What is read is not replaced.
model=$3
cp "$model" "$out.model"
refused "--save-state $model: is a file that this program reads" "$@" --save-state "$model"
refused "--save-state $model: is a file that this program reads" "$1" --model "$(dirname "$model")" --save-state "$model"
cmp "$model" "$out.model" || fail "the model was replaced"
