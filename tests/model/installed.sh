#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds the guide's program against an installed copy, found by pkg-config, as a project elsewhere
# would, and lets it read a recording; then what else is installed.
#
#   installed.sh BUILD SOURCE PREFIX RECORDING
set -u

build=$1 source=$2 prefix=$3 recording=$4
guide=$source/docs/reference/reading-recordings.md
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
number=0

check () {
  number=$((number + 1))
  name=$1
  shift
  if "$@" >"$root/log" 2>&1; then echo "ok $number /model/installed/$name"
  else sed 's/^/# /' "$root/log"; echo "not ok $number /model/installed/$name"; fi
}

# The first block of a language.
block () {
  awk -v begin="\`\`\`$1" '$0 == begin && !done { inside = 1; next }
    /^```$/ { done = done || inside; inside = 0 } inside' "$guide"
}

install () {
  meson install -C "$build" --no-rebuild --destdir "$root/image"
}
check install install

pc=$(find "$root/image" -name weft-1.pc | head -n 1)
folder=$(dirname "$(find "$root/image" -name 'libweft-1.so.0' | head -n 1)")
mkdir "$root/pc"
sed "s|^prefix=.*|prefix=$root/image$prefix|" "${pc:-/dev/null}" >"$root/pc/weft-1.pc"
PKG_CONFIG_PATH=$root/pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$folder
LC_ALL=C.UTF-8
export PKG_CONFIG_PATH LD_LIBRARY_PATH LC_ALL

block c >"$root/lanes.c"
compile () {
  # shellcheck disable=SC2046 # flags are words
  cc -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror $SANITIZE "$root/lanes.c" \
    $(pkg-config --cflags --libs weft-1) -o "$root/lanes"
}
check compile compile

lanes_are_printed () {
  "$root/lanes" "$recording" >"$root/printed" && cat "$root/printed" \
    && grep -q '^l-1 .*: [0-9]* dispatches$' "$root/printed"
}
check lanes lanes_are_printed

complains () {
  "$root/lanes" /dev/zero && return 1
  "$root/lanes" /dev/zero 2>&1 | grep 'is not a regular file'
}
check error complains

# Each header can be included first.
headers () {
  for header in "$root/image$prefix"/include/weft-1/*.h; do
    printf '#include <%s>\n' "$(basename "$header")" >"$root/header.c"
    # shellcheck disable=SC2046
    cc -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror -fsyntax-only "$root/header.c" \
      $(pkg-config --cflags weft-1) || return 1
  done
}
check headers headers

typelib=$(find "$root/image" -name Weft-1.typelib | head -n 1)
python_prints_the_same () {
  block python >"$root/lanes.py"
  GI_TYPELIB_PATH=$(dirname "$typelib") LD_PRELOAD=$PRELOAD ASAN_OPTIONS=detect_leaks=0 "$PYTHON" "$root/lanes.py" "$recording" >"$root/by-python" \
    && cmp "$root/printed" "$root/by-python"
}
if [ -n "$typelib" ] && [ -n "$PYTHON" ]; then check python python_prints_the_same; fi

reference=$(find "$root/image" -path '*/weft-1/reference/*' -name index.html | head -n 1)
reference_is_whole () {
  for class in Recording Dispatch Subscription List; do
    test -s "$(dirname "$reference")/class.$class.html" || return 1
  done
}
if [ -n "$reference" ]; then check reference reference_is_whole; fi

echo "1..$number"
