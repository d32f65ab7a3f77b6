#!/bin/sh
# Installs what the build needs on Debian and Ubuntu, and nothing that is there already.
#   cmake/setup.sh       compiler, CMake and libraries
#   cmake/setup.sh ci    and what the checks of .ci/run need
set -eu

wanted="g++ cmake ninja-build libeigen3-dev libcli11-dev doctest-dev libbenchmark-dev libthrust-dev locales"
if [ "${1-}" = ci ]; then wanted="$wanted git clang libclang-rt-14-dev clang-format-14 libopenmpi-dev openmpi-bin libmpich-dev mpich"; fi

missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then root=; else root=sudo; fi
if ! command -v apt-get >/dev/null || { [ -n "$root" ] && ! command -v sudo >/dev/null; }; then
  echo "Cannot install here:$missing" >&2
  for tool in c++ cmake ninja git; do
    command -v $tool >/dev/null || { echo "The build cannot do without $tool." >&2; exit 1; }
  done
  echo "Going on: libraries that are missing are fetched when CMake runs." >&2
  exit 0
fi
echo "Installing:$missing"
$root apt-get update -q
# shellcheck disable=SC2086  # a list of packages
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
