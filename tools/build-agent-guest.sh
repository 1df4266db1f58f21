#!/bin/bash
# Builds the program of the VMs in the Resource Manager's tests (actors-rm/src/test/guest) into the resource that they
# load. Needs binutils-aarch64-linux-gnu. Usage: tools/build-agent-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/actors-rm/src/test/resources/gunyah/rm/agent.img}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}as" >/dev/null || { echo "build-agent-guest: ${cross}as is missing (apt-get install binutils-aarch64-linux-gnu)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${cross}as" -o "$work/agent.o" "$root/actors-rm/src/test/guest/agent.S"
"${cross}ld" -Ttext=0x80000000 -e 0x80000000 -o "$work/agent.elf" "$work/agent.o"
"${cross}objcopy" -O binary "$work/agent.elf" "$work/agent.img"
mkdir -p "$(dirname "$output")"
cp "$work/agent.img" "$output"
