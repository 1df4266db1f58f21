#!/bin/bash
# Builds the guest of the hypervisor benchmarks (load-tests/src/test/guest) into the resource that they load. Needs
# binutils-aarch64-linux-gnu. Usage: tools/build-bench-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/test/resources/gunyah/bench/bench.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-bench-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${cross}as" -o "$work/bench.o" "$root/load-tests/src/test/guest/bench.S"
"${cross}ld" -Ttext=0x40000000 -e 0x40000000 -o "$work/bench.elf" "$work/bench.o"
"${cross}objcopy" -O binary "$work/bench.elf" "$work/bench.img"
mkdir -p "$(dirname "$output")"
cp "$work/bench.img" "$output"
