#!/bin/bash
# Builds what the translator's benchmarks run (load-tests/src/main/guest/kernels and programs) into the resources that they
# load. Needs gcc-aarch64-linux-gnu. Usage: tools/build-kernels.sh [OUTPUT_DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/main/resources/gunyah/load}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-kernels: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$root/load-tests/src/main/guest/kernels

# without contraction and vectorization: the instructions are what the source says
flags=(-O2 -ffreestanding -fno-pic -fno-stack-protector -ffp-contract=off -fno-tree-vectorize -fno-tree-loop-distribute-patterns
    -march=armv8.2-a+crc+dotprod -mno-outline-atomics -Wall)
"${cross}gcc" "${flags[@]}" -mgeneral-regs-only -c -o "$work/main.o" "$source/main.c"
"${cross}gcc" "${flags[@]}" -mgeneral-regs-only -c -o "$work/integer.o" "$source/integer.c"
"${cross}gcc" "${flags[@]}" -c -o "$work/fp.o" "$source/fp.c"
"${cross}gcc" -c -o "$work/start.o" "$source/start.S"
"${cross}ld" --build-id=none --no-warn-rwx-segments -N -Ttext=0x40200000 -o "$work/kernels.elf" "$work"/{start,main,integer,fp}.o
"${cross}strip" "$work/kernels.elf"
cp "$work/kernels.elf" "$output"

"${cross}gcc" -O2 -ffreestanding -fno-stack-protector -fno-builtin -fno-pie -static -fno-asynchronous-unwind-tables \
    -fno-tree-loop-distribute-patterns -nostdlib -Wl,--build-id=none,-s,-z,max-page-size=4096 -Wall -Wextra -Werror \
    -o "$work/core.elf" "$source/../programs/core.c"
cp "$work/core.elf" "$output"
