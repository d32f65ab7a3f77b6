# damaged.sh DONE OUT COMMAND...: damages the files of the study in DONE, each in a copy, and repeats its command, which
# must say what it found.
done=$1 out=$2
shift 2

# try FILE CHANGE WORDS COMMAND...: what CHANGE, a filter, makes of the file.
try() {
  file=$1 change=$2 words=$3
  shift 3
  rm -rf "$out"
  cp -r "$done" "$out"
  eval "$change" < "$done/$file" > "$out/$file"
  said=$(timeout 20 "$@" --out "$out" 2>&1)
  status=$?
  case $status:$said in
    2:*"$file: $words"*) ;;
    *)
      echo "$file put through $change: status $status, said $said"
      exit 1
      ;;
  esac
}

run=runs/rwkv4-seed1
try $run/log.csv "head -c -1" "line 9: expected its end, found none: the line is cut short; remove the folder" "$@"
try $run/log.csv "sed 5s/,.*//" "line 5: expected 7 cells, found 1; remove the folder" "$@"
try $run/log.csv "sed 5s/,/,x/" "line 5: expected a number as loss, found \"x" "$@"
try $run/log.csv "sed 5d" "expected 4 validations, found 3; remove the folder" "$@"
try $run/log.csv "head -c 0" "line 1: expected a line of names, found no bytes" "$@"
try $run/speed.csv "sed 2s/,.*//" "line 2: expected 3 cells, found 1" "$@"
try ngrams.csv "head -c -1" "line 8: expected its end, found none" "$@"
