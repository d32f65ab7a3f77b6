# full_disk.sh COMMAND...: runs it where no file may grow beyond 4 MB, as on a full disk, then without that limit.
trap '' XFSZ
(
  ulimit -f 8000
  "$@" && echo "succeeded on a full disk"
)
exec "$@"
