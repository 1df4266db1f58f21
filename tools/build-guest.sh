#!/bin/bash
# Builds the built-in guest (runtime/src/guest) into the resource that `gunyah run` loads. Needs
# gcc-aarch64-linux-gnu; the same sources and compiler give the same bytes. Usage: tools/build-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source=$root/runtime/src/guest
output=${1:-$root/runtime/src/main/resources/gunyah/guest/builtin.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-guest: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags=(-O2 -g0 -std=gnu17 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fpie
    -fno-asynchronous-unwind-tables -fno-jump-tables -fno-tree-loop-distribute-patterns
    -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics -mbranch-protection=none
    "-ffile-prefix-map=$source=." -frandom-seed=gunyah)
objects=()
for unit in start.S main.c console.c clock.c gic.c mmu.c fdt.c exceptions.c messages.c; do
    object=$work/${unit%.*}.o
    (cd "$source" && "${cross}gcc" "${flags[@]}" -c "$unit" -o "$object")
    objects+=("$object")
done
"${cross}ld" -static -pie --no-dynamic-linker -z norelro --build-id=none --no-warn-rwx-segments --orphan-handling=place \
    -T "$source/guest.ld" -o "$work/guest.elf" "${objects[@]}"
if "${cross}readelf" -rW "$work/guest.elf" | grep -q R_AARCH64; then
    echo "build-guest: the image is not position independent" >&2
    "${cross}readelf" -rW "$work/guest.elf" >&2
    exit 1
fi
"${cross}objcopy" -O binary "$work/guest.elf" "$work/builtin.img"
mkdir -p "$(dirname "$output")"
cp "$work/builtin.img" "$output"
