#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Compiles the unwinder for AArch64: it is not run there. (Its tables are compared with readelf's, and
# its rules applied to stacks that are made by hand, by rules-test.py and test-unwind-aarch64.)
#
#   aarch64.sh SOURCE_ROOT COMPILER_FLAGS…
set -u
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}
root=$1
shift

if ! command -v "$compiler" >/dev/null 2>&1; then
  echo "1..0 # SKIP no $compiler (package gcc-aarch64-linux-gnu)"
  exit 0
fi

echo 1..1
for name in address-space elf-image module unwind-cfi unwind-expression unwind-reader unwind-table unwinder; do
  "$compiler" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter \
    -Wno-missing-field-initializers -O2 -I"$root/core" -I"$root/core/symbols" "$@" \
    -fsyntax-only "$root/core/symbols/weft-$name.c" || {
    echo "not ok 1 - weft-$name.c compiles for AArch64"
    exit 1
  }
done
echo 'ok 1 - the unwinder compiles for AArch64'
