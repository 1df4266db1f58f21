#!/bin/bash
# Builds the guest of the conformance scenarios (actors-vmm/src/test/guest) into the resource that they load. Needs
# binutils-aarch64-linux-gnu. Usage: tools/build-probe-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/actors-vmm/src/test/resources/gunyah/vmm/conformance/probe.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-probe-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${cross}as" -o "$work/probe.o" "$root/actors-vmm/src/test/guest/probe.S"
"${cross}ld" -Ttext=0 -e 0 -o "$work/probe.elf" "$work/probe.o"
"${cross}objcopy" -O binary "$work/probe.elf" "$work/probe.img"
mkdir -p "$(dirname "$output")"
cp "$work/probe.img" "$output"
