#!/bin/bash
# Builds the bare-metal tests of the processor (arm64-exec/src/test/guest) and what QEMU prints for each into the
# resources of GuestProgramTest. Needs gcc-aarch64-linux-gnu, for the second part qemu-system-arm.
# Usage: tools/build-cpu-guest.sh [OUTPUT_DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source=$root/arm64-exec/src/test/guest
output=${1:-$root/arm64-exec/src/test/resources/gunyah/arm64/guest}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-cpu-guest: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

for area in exceptions mmu alignment branches debug aborts registers; do
    march=armv8-a
    machine=virt,gic-version=3
    cpu=max,pauth-impdef=on
    if [ "$area" = aborts ]; then
        machine+=,virtualization=on
    elif [ "$area" = registers ]; then
        cpu=cortex-a57
    fi
    if [ "$area" = branches ] || [ "$area" = debug ]; then
        march=armv8.5-a+rng
    fi
    "${cross}gcc" -O1 -ffreestanding -nostdlib -static -mgeneral-regs-only -mstrict-align -march=$march -fno-pic \
        -fno-stack-protector -mbranch-protection=none -Wall -Wextra -Werror -ffile-prefix-map="$root"=. \
        -Wl,--build-id=none,--no-warn-rwx-segments -T "$source/guest.ld" -o "$work/$area.elf" \
        "$source/start.S" "$source/guest.c" "$source/$area.c"
    "${cross}objcopy" -O binary "$work/$area.elf" "$output/$area.img"
    if command -v qemu-system-aarch64 >/dev/null; then
        timeout 120 qemu-system-aarch64 -M "$machine" -cpu "$cpu" -m 512 -net none -display none -serial stdio -monitor none \
            -device "loader,file=$output/$area.img,addr=0x40200000,cpu-num=0,force-raw=on" </dev/null >"$output/$area.txt"
    else
        echo "build-cpu-guest: qemu-system-aarch64 is missing, $area.txt is as it was" >&2
    fi
done
