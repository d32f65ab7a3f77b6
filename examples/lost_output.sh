# lost_output.sh COMMAND...: with its output on a full disk, and with it closed, the command must say so and fail.
for case in "full:No space left on device" "closed:Bad file descriptor"; do
  if [ "${case%%:*}" = full ]; then said=$("$@" 2>&1 > /dev/full); else said=$("$@" 2>&1 >&-); fi
  status=$?
  case $said in
    *"cannot write the output (${case#*:})"*) [ $status = 2 ] && continue ;;
  esac
  echo "${case%%:*}: status $status, said \"$said\""
  exit 1
done
