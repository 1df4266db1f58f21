#!/bin/bash
# Builds the guest-code client of the Resource Manager (load-tests/src/test/guest/rm) into the resource that its test
# boots as the primary VM's kernel. Needs gcc-aarch64-linux-gnu and device-tree-compiler; the same sources and compiler
# give the same bytes. Usage: tools/build-rm-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source=$root/load-tests/src/test/guest/rm
output=${1:-$root/load-tests/src/test/resources/gunyah/scenario/rm-client.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
for tool in "${cross}gcc" dtc; do
    command -v "$tool" >/dev/null || { echo "build-rm-guest: $tool is missing (tools/install-oracles.sh)" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tree in proxy scheduled; do
    dtc -q -I dts -O dtb -o "$work/$tree.dtb" "$source/$tree.dts"
done
flags=(-O2 -g0 -std=gnu17 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fpie
    -fno-asynchronous-unwind-tables -fno-jump-tables -fno-tree-loop-distribute-patterns
    -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics -mbranch-protection=none
    "-ffile-prefix-map=$source=." -frandom-seed=gunyah "-Wa,-I$work")
objects=()
for unit in start.S main.c rpc.c tree.c report.c target.S; do
    (cd "$source" && "${cross}gcc" "${flags[@]}" -c "$unit" -o "$work/${unit%.*}.o")
    objects+=("$work/${unit%.*}.o")
done
"${cross}ld" -static -pie --no-dynamic-linker -z norelro --build-id=none --no-warn-rwx-segments --orphan-handling=place \
    -T "$source/guest.ld" -o "$work/client.elf" "${objects[@]}"
if "${cross}readelf" -rW "$work/client.elf" | grep -q R_AARCH64; then
    echo "build-rm-guest: the image is not position independent" >&2
    exit 1
fi
"${cross}objcopy" -O binary "$work/client.elf" "$work/client.img"
mkdir -p "$(dirname "$output")"
cp "$work/client.img" "$output"
