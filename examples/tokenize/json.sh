# json.sh TOKENIZE TOKENIZER TEXT FOLDER: documents of JSON lines to files, to JSON lines again, and to numbers.
set -e
rm -rf "$4" && mkdir -p "$4"
printf '%s\n' '{"text": "the first document"}' '{"text": ""}' '{"text": "the \"third\" \\ caf\u00e9"}' > "$4/documents.jsonl"
printf '%s\n' '{"text": "the first document"}' '{"text": ""}' '{"text": "the \"third\" \\ café"}' > "$4/expected.jsonl"
"$1" --tokenizer "$2" --text "$4/documents.jsonl" --out "$4/documents"
"$1" --tokenizer "$2" --tokens "$4/documents.idx" --json-lines | cmp - "$4/expected.jsonl"
"$1" --tokenizer "$2" --text "$4/documents.jsonl" > "$4/ids.txt"
test "$(sed -n 2p "$4/ids.txt")" = 0
"$1" --tokenizer "$2" --tokens "$4/ids.txt" --json-lines | cmp - "$4/expected.jsonl"
