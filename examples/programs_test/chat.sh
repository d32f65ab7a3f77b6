# chat.sh COMMAND...: what is said to a model from a pipe, and what it answers.
. "$(dirname "$0")/say.sh"
# said WORDS INPUT OPTIONS...: the whole output.
said() {
  expected=$1 input=$2
  shift 2
  found=$(printf "$input" | "$@") || fail "it ended with an error"
  [ "$found" = "$(printf "$expected")" ] || fail "expected \"$expected\", found \"$found\""
}
once=$(printf 'hi\n' | "$@") || fail "it ended with an error"
case $once in
  "Assistant:"*) ;;
  *) fail "expected an answer, found \"$once\"" ;;
esac
# After a reset nothing is left of the first round, but of no reset it is.
said "$once\n\n$once" 'hi\n/reset\n\n hi \r\n' "$@"
said "$once\n\n" 'hi\n/quit\nhi\n' "$@"
said "nothing was said yet\n$once" '/again\nhi' "$@"
[ "$(printf 'hi\n/again\n' | "$@" --temperature 0)" = "$(printf 'hi\n/reset\nhi\n' | "$@" --temperature 0)" ] ||
  fail "an answer that is given again is another one, without any draws"
printf '/help\n' | "$@" | grep -q "^/reset  forget" || fail "there is no help"
printf 'hi\n' | "$@" --think on | grep -q "^Assistant: <think" || fail "it does not begin with a thought"
said "Assistant:" 'hi\n' "$@" --stop "$(printf '%s' "${once#Assistant:}" | cut -c1)"
# A line that the tokenizer cannot read ends nothing, and changes nothing.
said "$(printf 'hi\nhi\n' | "$@")" 'hi\n\377\nhi\n' "$@" 2> /dev/null
printf '\377\n' | "$@" 2>&1 | grep -q "^chat: this line: byte 0" || fail "expected to hear what is wrong with the line"
printf 'hi\n\n' | "$@" > /dev/null || fail "it ended with an error"
