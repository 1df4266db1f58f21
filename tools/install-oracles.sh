#!/bin/bash
# Installs from Debian what the tests compare with (qemu, gcc, dtc, gdb) and what fetching and CI need. Tests whose
# oracle is missing are skipped with the reason. Needs root or sudo.
set -euo pipefail
packages=(qemu-user qemu-system-arm gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu device-tree-compiler
    gdb-multiarch expect cpio qemu-utils)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
