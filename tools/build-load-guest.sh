#!/bin/bash
# Builds the guest of the load scenarios (load-tests/src/main/guest) into the resource that they load. Needs
# binutils-aarch64-linux-gnu. Usage: tools/build-load-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/main/resources/gunyah/load/hog.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-load-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${cross}as" -o "$work/hog.o" "$root/load-tests/src/main/guest/hog.S"
"${cross}ld" -Ttext=0x40000000 -o "$work/hog.elf" "$work/hog.o"
"${cross}objcopy" -O binary "$work/hog.elf" "$work/hog.img"
cp "$work/hog.img" "$output"
