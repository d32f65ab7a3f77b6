# lines.sh TOKENIZE TOKENIZER TEXT FOLDER: a text to numbers and back.
set -e
rm -rf "$4" && mkdir -p "$4"
"$1" --tokenizer "$2" --text "$3" > "$4/ids.txt"
test "$(wc -l < "$4/ids.txt")" = 1
"$1" --tokenizer "$2" --tokens "$4/ids.txt" --end no | cmp - "$3"
