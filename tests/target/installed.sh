#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds programs against an installed copy, found by pkg-config, as a project elsewhere would.
# Usage: installed.sh BUILD-DIRECTORY SOURCE-DIRECTORY
set -eu
build=$1 source=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
guide=$source/../../docs/producer-guide.md
echo 1..5
DESTDIR="$root" meson install -C "$build" --no-rebuild --quiet >"$root/log" 2>&1 \
  || { cat "$root/log"; exit 1; }
pc=$(find "$root" -name weft-target.pc | head -n 1)
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$root"
export WEFT_RUNTIME_DIR="$root/run"
number=0
check () {
  number=$((number + 1))
  name=$1
  shift
  if "$@" >"$root/log" 2>&1; then echo "ok $number $name"
  else sed 's/^/# /' "$root/log"; echo "not ok $number $name"; fi
}
flags="$(pkg-config --cflags --libs weft-target) -Wl,-rpath,$(find "$root" -name 'libweft-target.so' -exec dirname {} \; | head -n 1)"
both () {
  # shellcheck disable=SC2086
  $1 "$2" -o "$root/program" $flags -pthread && "$root/program"
}
check /target/installed/c++11 both "c++ -std=c++11 -Wall -Wextra -Werror" "$source/compiled.cc"
check /target/installed/c++20 both "c++ -std=c++20 -Wall -Wextra -Wpedantic -Wno-error" "$source/compiled.cc"
# The guide's first program as it stands, its second piece inside a function.
block () {
  awk -v want="$1" '/^```c$/ { n++; inside = n == want; next } /^```$/ { inside = 0 } inside' "$guide"
}
block 1 >"$root/first.c"
{
  echo '#include <weft-target.h>'
  echo 'void f (WeftTargetLane *lane, uint64_t submission, uint64_t begin_ticks, uint64_t end_ticks);'
  echo 'static WeftTargetRoutine gemm = WEFT_TARGET_ROUTINE ("gemm");'
  echo 'void f (WeftTargetLane *lane, uint64_t submission, uint64_t begin_ticks, uint64_t end_ticks) {'
  block 2
  echo '}'
  echo 'int main (void) { f (weft_target_lane_new ("gpu", "test.queue"), 1, 2, 3); return 0; }'
} >"$root/second.c"
check /target/installed/guide-1 both "cc -std=gnu11 -Wall -Wextra -Werror" "$root/first.c"
check /target/installed/guide-2 both "cc -std=gnu11 -Wall -Wextra -Werror" "$root/second.c"
statically () {
  cc -std=gnu11 "$root/first.c" -o "$root/program" $(pkg-config --cflags weft-target) \
    "$(find "$root" -name libweft-target.a)" -pthread -ldl && "$root/program"
}
check /target/installed/static statically
