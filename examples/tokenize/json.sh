# json.sh TOKENIZE TOKENIZER TEXT FOLDER: documents of JSON lines to files, to JSON lines again, and to numbers.
set -e
rm -rf "$4" && mkdir -p "$4"
printf '%s\n' '{"text": "the first document"}' '{"text": ""}' '{"text": "the \"third\" \\ caf\u00e9"}' > "$4/documents.jsonl"
printf '%s\n' '{"text": "the first document"}' '{"text": ""}' '{"text": "the \"third\" \\ café"}' > "$4/expected.jsonl"
"$1" --tokenizer "$2" --text "$4/documents.jsonl" --out "$4/documents"
"$1" --tokenizer "$2" --tokens "$4/documents.idx" --json-lines | cmp - "$4/expected.jsonl"
"$1" --tokenizer "$2" --text "$4/documents.jsonl" > "$4/ids.txt"
echo 228 > "$4/half.txt"  # a byte, \xe3
if "$1" --tokenizer bytes --tokens "$4/half.txt" --end no --json-lines > "$4/half.jsonl"; then exit 1; fi
test "$(sed -n 2p "$4/ids.txt")" = 0
"$1" --tokenizer "$2" --tokens "$4/ids.txt" --json-lines | cmp - "$4/expected.jsonl"
