# lost_output.sh COMMAND...: with its output on a full disk, and with it closed, the command must say so and fail. Of
# what was written long before its end, the system's reason is not known any more.
expect() {
  case $2:$3 in
    "2:"*"cannot write the output ($1)"* | "2:"*"cannot write the output (a part of it was lost)"*) ;;
    *)
      echo "expected \"$1\", found status $2, \"$3\""
      exit 1
      ;;
  esac
}
said=$("$@" 2>&1 > /dev/full)
expect "No space left on device" $? "$said"
said=$("$@" 2>&1 >&-)
expect "Bad file descriptor" $? "$said"
