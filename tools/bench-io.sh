#!/bin/bash
# Throughput of disk and network of one Debian guest, beside QEMU (TCG) with the same kernel, initramfs, disk and server,
# interleaved. Prints MB/s as the guest measures them. Needs ./gunyah fetch debian, qemu-system-aarch64, python3.
#   tools/bench-io.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-2}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
truncate -s 512M "$work/disk.img"
head -c 64M /dev/urandom >"$work/data"
dd if="$work/data" of="$work/disk.img" conv=notrunc status=none
port=$((20000 + RANDOM % 10000))
(cd "$work" && exec python3 -m http.server "$port" --bind 127.0.0.1 >/dev/null 2>&1) &
commands="time dd if=/dev/vda of=/dev/null bs=1M count=64
time sh -c 'dd if=/dev/zero of=/dev/vda bs=1M seek=100 count=64; sync'
udhcpc -q -i eth0 >/dev/null 2>&1
time wget -q -O /dev/null http://10.0.2.2:$port/data
poweroff -f"

guest() {
    : >"$work/out"
    mkfifo "$work/in"
    (
        exec 3>"$work/in"
        until grep -q '/root # ' "$work/out"; do sleep 0.5; done
        printf '%s\n' "$commands" >&3
        sleep 600
    ) &
    local feeder=$!
    timeout 600 "$@" <"$work/in" >"$work/out" 2>/dev/null || true
    kill $feeder 2>/dev/null || true
    rm "$work/in"
    tr -d '\r' <"$work/out" | awk '/^real/ { sub("m", ""); sub("s", ""); printf " %6.1f", 64 * 1.048576 / ($2 * 60 + $3) }'
    echo
}

./gunyah --version >/dev/null
echo "MB/s                 read  write  download"
for round in $(seq "$rounds"); do
    echo -n "gunyah, round $round:"
    guest ./gunyah run debian --disk "$work/disk.img" --net user --timeout 590s
    echo -n "qemu,   round $round:"
    guest qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -m 512 -nographic -kernel .guests/vmlinuz-6.1 \
        -initrd .guests/initramfs-6.1.cpio -append "console=ttyAMA0 cryptomgr.notests" \
        -global virtio-mmio.force-legacy=false -drive "file=$work/disk.img,format=raw,if=none,id=d" -device virtio-blk-device,drive=d \
        -netdev user,id=n -device virtio-net-device,netdev=n
done
