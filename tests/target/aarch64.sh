#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Compiles the producer library for AArch64: it is not run there.
#
#   aarch64.sh SOURCE_ROOT
set -u
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}

if ! command -v "$compiler" >/dev/null 2>&1; then
  echo "1..0 # SKIP no $compiler (package gcc-aarch64-linux-gnu)"
  exit 0
fi

echo 1..1
for source in "$1"/core/target/*.c; do
  "$compiler" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter -O2 \
    -I"$1/core/target" -I"$1/core/wire" -fsyntax-only "$source" || {
    echo "not ok 1 - ${source##*/} compiles for AArch64"
    exit 1
  }
done
echo 'ok 1 - the producer library compiles for AArch64'
