#!/bin/sh
# Installs what the build needs on Debian and Ubuntu, and nothing that is there already.
#   cmake/setup.sh       compiler, CMake and libraries
#   cmake/setup.sh ci    and what the checks of .ci/run need
set -eu

wanted="g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev doctest-dev libbenchmark-dev"
if [ "${1-}" = ci ]; then wanted="$wanted git clang clang-format-14"; fi

if ! command -v apt-get >/dev/null; then
  echo "No apt-get here. Needed are a C++20 compiler, CMake 3.24 and Ninja; missing libraries are fetched when CMake runs."
  exit 0
fi

missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Please install:$missing" >&2
    exit 1
  fi
  root=sudo
fi
echo "Installing:$missing"
$root apt-get update -q
# shellcheck disable=SC2086  # a list of packages
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
