#!/bin/bash
# Builds the guests of the hypercall tests (actors-hypervisor/src/test/guest) into the resources that they load. Needs
# binutils-aarch64-linux-gnu. Usage: tools/build-abi-guest.sh [DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/actors-hypervisor/src/test/resources/gunyah/hyp/abi}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-abi-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

for name in abi inner; do
    "${cross}as" -o "$work/$name.o" "$root/actors-hypervisor/src/test/guest/$name.S"
    "${cross}ld" -Ttext=0x40000000 -e 0x40000000 -o "$work/$name.elf" "$work/$name.o"
    "${cross}objcopy" -O binary "$work/$name.elf" "$work/$name.img"
    install -m 644 "$work/$name.img" "$output/$name.img"
done
