# files.sh TOKENIZE TOKENIZER TEXT FOLDER: a text to the two files and back.
set -e
rm -rf "$4" && mkdir -p "$4"
"$1" --tokenizer "$2" --text "$3" --out "$4/text"
"$1" --tokenizer "$2" --tokens "$4/text.bin" --end no | cmp - "$3"
"$1" --tokenizer "$2" --text "$3" --out "$4/ended.idx" --end yes
"$1" --tokenizer "$2" --tokens "$4/ended.idx" | cmp - "$3"
