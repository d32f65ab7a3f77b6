# What the scripts of this folder share: fail WORDS, and refused WORDS COMMAND... for a command that is answered so.
fail() {
  echo "$1"; exit 1
}
refused() {
  words=$1
  shift
  said=$("$@" 2>&1) && fail "expected \"$words\", found no error"
  case $said in
    *"$words"*) ;;
    *) fail "expected \"$words\", found \"$said\"" ;;
  esac
}
