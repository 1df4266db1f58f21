#!/bin/bash
# Makes a disk with a small Debian 12 for arm64 that boots to a login: unpacked packages, busybox as init, user root
# without password. Needs a Debian host (apt, dpkg, e2fsprogs) and no rights; the host's own packages stay as they are.
#   tools/make-root-disk.sh [FILE [SIZE [PACKAGE ...]]]       default .guests/root.img, 256M
# PACKAGE: further Debian packages, with all that they depend on; their installation scripts do not run.
#   ./gunyah run debian --disk .guests/root.img --append "root=/dev/vda"
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=${1:-.guests/root.img}
size=${2:-256M}
extra=("${@:3}")
packages=(base-files bash busybox-static coreutils libacl1 libattr1 libc6 libgmp10 libpcre2-8-0 libselinux1 libtinfo6)

state=$PWD/.guests/apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
options=(-qq -o APT::Architectures::="$(dpkg --print-architecture)" -o APT::Architectures::=arm64
    -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Sandbox::User=)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"
apt-get "${options[@]}" update
(cd "$work/debs" && apt-get "${options[@]}" download "${packages[@]/%/:arm64}")
if [ ${#extra[@]} -gt 0 ]; then
    # An arm64 system on which nothing is installed yet: apt finds the dependencies and downloads them.
    mkdir "$work/debs/partial"
    touch "$work/status"
    foreign=("${options[@]}" -o APT::Architecture=arm64 -o Dir::State::status="$work/status"
        -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1)
    apt-get "${foreign[@]}" --yes --download-only --no-install-recommends install "${extra[@]}"
fi
for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$work/root"
done

root=$work/root
mkdir -p "$root"/{dev,etc/init.d,etc/udhcpc,mnt,proc,root,run,sbin,sys,tmp}
chmod 1777 "$root/tmp"
for applet in init getty login mount umount poweroff reboot ip udhcpc hostname ping wget nc dmesg ps free grep sed vi; do
    [ -e "$root/bin/$applet" ] || ln -s /bin/busybox "$root/bin/$applet"
done
ln -sf /bin/busybox "$root/sbin/init"
ln -sf /bin/busybox "$root/sbin/getty"
ln -sf bash "$root/bin/sh"
echo debian >"$root/etc/hostname"
echo 'root::0:0:root:/root:/bin/bash' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
cat >"$root/etc/inittab" <<'EOF'
::sysinit:/etc/init.d/rcS
console::respawn:/sbin/getty -L 115200 console vt100
::ctrlaltdel:/bin/reboot
::shutdown:/bin/umount -a -r
EOF
cat >"$root/etc/init.d/rcS" <<'EOF'
#!/bin/sh
hostname -F /etc/hostname
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
    ip link set eth0 up
    udhcpc -i eth0 -b -q
fi
EOF
cat >"$root/etc/udhcpc/default.script" <<'EOF'
#!/bin/sh
case $1 in
bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
        ip route replace default via "$gateway" dev "$interface"
    done
    : >/etc/resolv.conf
    for server in $dns; do
        echo "nameserver $server" >>/etc/resolv.conf
    done ;;
esac
EOF
chmod 755 "$root/etc/init.d/rcS" "$root/etc/udhcpc/default.script"

# Everything belongs to root on the disk; who is not root becomes it in a name space of its own.
as_root=()
[ "$(id -u)" = 0 ] || as_root=(unshare --map-root-user)
rm -f "$file.partial"
"${as_root[@]}" /sbin/mke2fs -q -t ext4 -L root -d "$root" "$file.partial" "$size"
mv "$file.partial" "$file"
echo "made $file; run it with: ./gunyah run debian --disk $file --append \"root=/dev/vda\""
