#!/bin/bash
# Builds the guests of the benchmarks, of the hypervisor and of the driver (load-tests/src/test/guest), into the resources
# that they load. Needs binutils-aarch64-linux-gnu. Usage: tools/build-bench-guest.sh [DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/test/resources/gunyah/bench}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-bench-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

for guest in bench driver; do
    "${cross}as" -o "$work/$guest.o" "$root/load-tests/src/test/guest/$guest.S"
    "${cross}ld" -Ttext=0x40000000 -e 0x40000000 -o "$work/$guest.elf" "$work/$guest.o"
    "${cross}objcopy" -O binary "$work/$guest.elf" "$output/$guest.img"
done
