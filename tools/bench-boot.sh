#!/bin/bash
# Time from process start to the shell prompt, and CPU time up to power off, side by side with QEMU (TCG) on the same
# kernel and initramfs in interleaved runs; the same with translations that an earlier process kept (--code-cache), and
# of the second and third boot of one process, from `reboot -f` on. Prints a table for docs/performance.md.
# Usage: tools/bench-boot.sh [ROUNDS] [KERNEL ...]     KERNEL: 6.1 or 6.12; default 3 rounds of both
# Needs: ./gunyah fetch debian --kernel all; qemu-system-aarch64 and expect (tools/install-oracles.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-3}
shift || true
kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(6.1 6.12)
cpus=${CPUS:-1}

for tool in qemu-system-aarch64 expect; do
    command -v "$tool" >/dev/null || { echo "bench-boot: $tool is missing, see tools/install-oracles.sh" >&2; exit 2; }
done
for kernel in "${kernels[@]}"; do
    [ -f ".guests/vmlinuz-$kernel" ] || { echo "bench-boot: run ./gunyah fetch debian --kernel all first" >&2; exit 2; }
done

# Prints "SHELL_MS ... CPU_MS" of one run of the command that boots so many times; CPU time is that of the whole process,
# JVM compiler included.
measure() {
    expect -f - -- "$@" <<'EXPECT'
log_user 0
set timeout 600
set boots [lindex $argv 0]
set begin [clock milliseconds]
spawn -noecho bash -c {TIMEFORMAT='CPU %3U %3S'; time "$@"} bash {*}[lrange $argv 1 end]
for {set boot 1} {$boot <= $boots} {incr boot} {
    expect {
        "/root # " {}
        timeout { puts stderr "bench-boot: no shell in time"; exit 1 }
        eof { puts stderr "bench-boot: ended before the shell"; exit 1 }
    }
    puts -nonewline "[expr {[clock milliseconds] - $begin}] "
    set begin [clock milliseconds]
    send [expr {$boot < $boots ? "reboot -f\r" : "poweroff -f\r"}]
}
expect -re {CPU ([0-9.]+) ([0-9.]+)}
puts "[expr {round(($expect_out(1,string) + $expect_out(2,string)) * 1000)}]"
expect eof
EXPECT
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { printf "%.2f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2000 }'
}

./gunyah tune
echo "$(nproc) x $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(qemu-system-aarch64 --version | head -1)," \
    "$rounds rounds, medians, $cpus vCPU, 512 MiB"
echo
echo "| kernel | command line | gunyah shell s | with code cache | second boot | third | qemu shell s | gunyah CPU s | qemu CPU s |"
echo "|---|---|---|---|---|---|---|---|---|"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for kernel in "${kernels[@]}"; do
    for append in "" cryptomgr.notests; do
        rm -rf "$results"/*
        ours=(./gunyah run --kernel ".guests/vmlinuz-$kernel" --initrd ".guests/initramfs-$kernel.cpio" --cpus "$cpus"
            --mem 512M --append "$append")
        # fills the cache
        measure 3 "${ours[@]}" --code-cache "$results/kept" >/dev/null
        for ((round = 0; round < rounds; round++)); do
            read -r shell cpu < <(measure 1 "${ours[@]}")
            echo "$shell" >>"$results/our-shell"
            echo "$cpu" >>"$results/our-cpu"
            read -r shell cpu < <(measure 1 "${ours[@]}" --code-cache "$results/kept")
            echo "$shell" >>"$results/kept-shell"
            read -r shell second third cpu < <(measure 3 "${ours[@]}")
            echo "$second" >>"$results/second"
            echo "$third" >>"$results/third"
            read -r shell cpu < <(measure 1 qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -smp "$cpus" \
                -m 512 -nic none -nographic -kernel ".guests/vmlinuz-$kernel" -initrd ".guests/initramfs-$kernel.cpio" \
                -append "console=ttyAMA0 $append")
            echo "$shell" >>"$results/qemu-shell"
            echo "$cpu" >>"$results/qemu-cpu"
        done
        row="| $kernel | ${append:-(self-tests)} |"
        for column in our-shell kept-shell second third qemu-shell our-cpu qemu-cpu; do
            row+=" $(median <"$results/$column") |"
        done
        echo "$row"
    done
done
