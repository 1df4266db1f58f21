#!/bin/bash
# Builds the guest of the crash tests (load-tests/src/test/guest/joined.c) into the resource that they load. Needs
# gcc-aarch64-linux-gnu. Usage: tools/build-crash-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/test/resources/gunyah/crash/joined.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-crash-guest: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$root/load-tests/src/test/guest" && "${cross}gcc" -O1 -g0 -std=gnu17 -Wall -Wextra -Werror -ffreestanding \
    -fno-builtin -fno-stack-protector -fno-pie -fno-asynchronous-unwind-tables -fno-jump-tables \
    -fno-tree-loop-distribute-patterns -march=armv8-a -mgeneral-regs-only -mstrict-align -mcmodel=tiny \
    -mbranch-protection=none -c joined.c -o "$work/joined.o")
echo 'SECTIONS { . = 0x40080000; .text : { *(.head) *(.text .text.*) *(.rodata .rodata.*) } }' > "$work/joined.ld"
"${cross}ld" -T "$work/joined.ld" -e 0x40080000 --build-id=none -o "$work/joined.elf" "$work/joined.o"
"${cross}objcopy" -O binary -j .text "$work/joined.elf" "$work/joined.img"
mkdir -p "$(dirname "$output")"
install -m 644 "$work/joined.img" "$output"
