#!/bin/bash
# Runs software that we did not write in a Debian guest, and checks that it finds nothing wrong: stress-ng with --verify,
# openssl, python3's own tests, sqlite and gzip. Makes .guests/software.img from Debian packages at first.
#   tools/run-real-software.sh [OPTION of gunyah run ...]       such as --cpus 4 --cpu max --engine auto
# Environment: SECONDS_EACH for each stressor (10; at 1, stress-ng's alarm may tell its child to end before that listens
# and wait for ever, on QEMU, too); LONG=1 runs stress-ng's stressors of processor, caches, memory, scheduler and
# interrupts one after the other instead, COMMAND='...' what a shell of the guest makes of it; QEMU=1 runs the same on
# QEMU, with QEMU's options. Status 0 when all passed and the kernel did not complain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
disk=.guests/software.img
if [ ! -e "$disk" ]; then
    tools/make-root-disk.sh "$disk" 1G stress-ng openssl python3 libpython3.11-testsuite sqlite3 gzip diffutils
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$disk" "$work/disk.img"
cat >"$work/settings" <<END
seconds=${SECONDS_EACH:-10}
long=${LONG:-0}
command=$(printf %q "${COMMAND:-}")
END
cat "$work/settings" - >"$work/check" <<'END'
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LC_ALL=C
mkdir -p /dev/shm
for directory in /dev/shm /run /tmp; do
    mount -t tmpfs tmpfs $directory
done
ip link set lo up
cd /tmp
failed=
passes() {
    name=$1
    shift
    start=$SECONDS
    if "$@" >log 2>&1; then
        echo "PASS $name ($((SECONDS - start)) s)"
    else
        echo "FAIL $name, status $?"
        tail -n 40 log
        failed=1
    fi
}
stress() {
    passes "stress-ng $*" stress-ng "$@" --verify --timeout "$seconds" --temp-path /tmp
}
# Status 3: some found no place on a tmpfs or no uprobes in the kernel, and none failed.
sequential() {
    stress-ng --sequential "$(nproc)" --class cpu,cpu-cache,memory,scheduler,interrupt --verify --timeout "$seconds" \
        --temp-path /tmp --oomable --exclude cpu-online,cyclic,resched,resources
    status=$?
    [ $status = 3 ] || return $status
}
digests() {
    head -c 1000003 /dev/urandom >plain
    # python's own implementations, not the ones it takes from openssl
    python3 - <<'PYTHON' >expected && for name in md5 sha1 sha256 sha512 sha3-256 blake2b512; do
import _md5, _sha1, _sha256, _sha512, _sha3, _blake2
data = open("plain", "rb").read()
for digest in (_md5.md5, _sha1.sha1, _sha256.sha256, _sha512.sha512, _sha3.sha3_256, _blake2.blake2b):
    print(digest(data).hexdigest())
PYTHON
        openssl dgst -r -$name plain
    done | cut -d' ' -f1 | diff - expected
}
ciphers() {
    for cipher in aes-128-cbc aes-256-ctr aes-256-cbc chacha20 camellia-128-cbc aria-256-cbc; do
        openssl enc -e -$cipher -pbkdf2 -k secret -in plain -out coded &&
            openssl enc -d -$cipher -pbkdf2 -k secret -in coded -out decoded && cmp plain decoded || return 1
    done
}
signatures() {
    head -c 1000 plain >part
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem &&
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem &&
        openssl genpkey -algorithm ED25519 -out ed.pem || return 1
    for key in rsa ec ed; do
        openssl pkey -in $key.pem -pubout -out $key.pub &&
            openssl pkeyutl -sign -rawin -inkey $key.pem -in part -out signature &&
            openssl pkeyutl -verify -rawin -pubin -inkey $key.pub -in part -sigfile signature || return 1
    done
}
database() {
    sqlite3 test.db "create table t(a integer primary key, b text, c real);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
        insert into t select i, hex(i * i), i / 8.0 from n;
        create index by_b on t(b); delete from t where a % 3 = 0; vacuum;" &&
        [ "$(sqlite3 test.db "select count(*), sum(a), sum(c) from t; pragma integrity_check")" = \
            $'66667|3333366667|416670833.375\nok' ]
}
archive() {
    python3 -c 'import random; random.seed(1); print(*(random.randrange(1000) for _ in range(400000)))' >text
    gzip -9 -k text && gzip -t text.gz && gzip -dc text.gz | cmp - text
}
echo "real software: $(uname -r), $(nproc) CPUs"
if [ -n "$command" ]; then
    passes "the command" bash -c "$command"
    cat log
elif [ "$long" = 1 ]; then
    # cyclic and resched fail on 4 CPUs of QEMU, too: deadlines that are too close, a counter shared by processes;
    # resources, short of memory, removes the semaphores that sem-sysv has made for itself
    stress --resources "$(nproc)" --oomable
    passes "stress-ng --sequential" sequential
    grep -E "fail:|error|aborted early|completed|skipped" log
else
    n=$(nproc)
    stress --cpu $n --cpu-method all
    stress --matrix $n
    stress --vecmath $n
    stress --atomic $n
    stress --vm $n --vm-bytes 48M --vm-method all
    stress --memcpy $n
    for signals in signal sigsegv sigfpe sigq; do
        stress --$signals $n
    done
    passes "openssl digests as python's" digests
    passes "openssl ciphers" ciphers
    passes "openssl signatures" signatures
    passes "openssl speed" openssl speed -seconds 1 sha256 sha512 aes-128-cbc aes-256-cbc ecdsap256 rsa2048
    for test in test_math test_struct test_hashlib test_json test_threading; do
        passes "python3 $test" python3 -m test $test
    done
    passes "sqlite" database
    passes "gzip" archive
fi
# the trace of whoever was short of memory is no complaint
if dmesg | sed '/invoked oom-killer/,/Call trace/d' | grep -E "WARNING|BUG|Oops|Call trace|stall|lockup|Unable to handle"; then
    echo "FAIL: the kernel complained"
    failed=1
fi
[ -n "$failed" ] || echo "REAL SOFTWARE PASSED"
poweroff -f
END
# The disk's init runs the checks in place of a login.
echo "::sysinit:/bin/bash /check" >"$work/inittab"
debugfs -w -f - "$work/disk.img" >/dev/null 2>&1 <<END
write $work/check check
cd etc
rm inittab
write $work/inittab inittab
END
if [ "${QEMU:-0}" = 1 ]; then
    runner=(qemu-system-aarch64 -M virt,gic-version=3 -cpu max -smp 2 -m 768 -display none -serial stdio -monitor none
        -nic none -no-reboot -kernel .guests/vmlinuz-6.1 -initrd .guests/initramfs-6.1.cpio
        -append "console=ttyAMA0 root=/dev/vda"
        -drive "file=$work/disk.img,format=raw,if=none,id=disk" -device virtio-blk-device,drive=disk)
else
    runner=(./gunyah run debian --disk "$work/disk.img" --mem 768M --append "root=/dev/vda")
fi
"${runner[@]}" "$@" </dev/null | tee "$work/log"
grep -q "REAL SOFTWARE PASSED" "$work/log"
