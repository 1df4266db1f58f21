#!/bin/bash
# Builds the guest that tries debug exceptions (load-tests/src/test/guest/debug) into the resource that its test loads.
# Needs gcc-aarch64-linux-gnu. Usage: tools/build-debug-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/test/resources/gunyah/scenario/debug.elf}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-debug-guest: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$root/load-tests/src/test/guest/debug

"${cross}gcc" -O1 -g0 -std=gnu17 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-pie -mgeneral-regs-only \
    -mstrict-align -fno-tree-loop-distribute-patterns -march=armv8-a -c "$source/main.c" -o "$work/main.o"
"${cross}gcc" -c "$source/start.S" -o "$work/start.o"
mkdir -p "$(dirname "$output")"
"${cross}ld" --build-id=none --no-warn-rwx-segments -N -s -Ttext=0x40200000 -o "$output" "$work"/{start,main}.o
chmod 644 "$output"
