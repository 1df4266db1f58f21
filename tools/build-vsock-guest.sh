#!/bin/bash
# Builds the program that Linux guests talk vsock with (load-tests/src/test/guest/vsock.c) into the resource that the test
# loads. Needs gcc-aarch64-linux-gnu. Usage: tools/build-vsock-guest.sh [OUTPUT]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
output=${1:-$root/load-tests/src/test/resources/gunyah/scenario/vsock.elf}
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build-vsock-guest: ${cross}gcc is missing (apt-get install gcc-aarch64-linux-gnu)" >&2; exit 2; }
mkdir -p "$(dirname "$output")"
cd "$root/load-tests/src/test/guest"
"${cross}gcc" -Os -g0 -std=gnu17 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-builtin -fno-pie -static \
    -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -nostdlib -Wl,--build-id=none,-s,-z,max-page-size=4096 \
    vsock.c -o "$output"
