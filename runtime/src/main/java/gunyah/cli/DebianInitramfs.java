package gunyah.cli;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The initial RAM file system of the Debian guests: one static busybox, the kernel's virtio modules, and an init that
 * ends in a shell, or on the disk that the command line names ({@code root=/dev/vda}).
 */
final class DebianInitramfs {
    /** Modules that virtio devices need, in the order they are loaded; a kernel has some of them built in. */
    static final List<String> MODULES = List.of("virtio_ring", "virtio", "virtio_mmio", "failover", "net_failover",
            "virtio_net", "virtio_blk", "virtio_console", "virtio-rng", "virtio_balloon", "vsock",
            "vmw_vsock_virtio_transport_common", "vmw_vsock_virtio_transport", "fuse", "virtiofs");

    /**
     * DEVTMPFS_MOUNT is off in Debian's kernels, so init mounts it. Modules are loaded for the devices that are there.
     * cttyhack gives the shell a controlling terminal: job control and Ctrl-C work. Leaving the shell powers off.
     */
    private static final String INIT = """
            #!/bin/sh
            export PATH=/bin:/sbin HOME=/root TERM=vt100 PS1='\\w # '
            /bin/busybox mount -t proc proc /proc
            /bin/busybox mount -t sysfs sysfs /sys
            /bin/busybox mount -t devtmpfs devtmpfs /dev
            /bin/busybox --install -s /bin
            mkdir -p /dev/pts /dev/shm
            mount -t devpts devpts /dev/pts
            hostname gunyah
            dmesg -n 4
            load() {
                for module in "$@"; do
                    file=/lib/modules/$(uname -r)/$module.ko
                    [ ! -f $file ] || insmod $file
                    rm -f $file
                done
            }
            case $(echo /sys/bus/platform/devices/*) in
            *virtio_mmio*)
                load virtio_ring virtio virtio_mmio
                for device in /sys/bus/virtio/devices/*; do
                    case $(cat $device/device) in
                    0x0001) load failover net_failover virtio_net ;;
                    0x0002) load virtio_blk ;;
                    0x0003) load virtio_console ;;
                    0x0004) load virtio-rng ;;
                    0x0005) load virtio_balloon ;;
                    0x0013) load vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport ;;
                    0x001a) load fuse virtiofs ;;
                    esac
                done ;;
            esac
            for word in $(cat /proc/cmdline); do
                case $word in
                root=*) root=${word#root=} ;;
                esac
            done
            if [ -n "$root" ] && mount -t ext4 "$root" /mnt; then
                umount /dev/pts
                for directory in dev proc sys; do
                    mount -o move /$directory /mnt/$directory
                done
                exec switch_root /mnt /sbin/init
            fi
            ip link set lo up
            if [ -e /sys/class/net/eth0 ]; then
                ip link set eth0 up
            fi
            echo
            echo "Linux $(uname -r) on $(nproc) CPU(s): busybox shell, 'poweroff -f' ends the VM"
            cd /root
            setsid cttyhack sh
            poweroff -f
            """;

    /** What udhcpc runs with an answer of the DHCP server. */
    private static final String DHCP = """
            #!/bin/sh
            case $1 in
            bound|renew)
                ip addr replace $ip/$mask dev $interface
                for gateway in $router; do
                    ip route replace default via $gateway dev $interface
                done
                : > /etc/resolv.conf
                for server in $dns; do
                    echo nameserver $server >> /etc/resolv.conf
                done ;;
            esac
            """;

    private DebianInitramfs() {
    }

    /**
     * Makes the archive, uncompressed: unpacking costs the guest more than loading costs us.
     *
     * @param release of the kernel, as its modules' directory is named
     * @param modules by name; those a kernel has built in are absent
     */
    static byte[] build(byte[] busybox, String release, Map<String, byte[]> modules) {
        CpioArchive archive = new CpioArchive();
        for (String directory : List.of("bin", "dev", "etc", "lib", "lib/modules", "lib/modules/" + release, "mnt",
                "proc", "root", "run", "sbin", "sys", "tmp", "etc/udhcpc")) {
            archive.directory(directory);
        }
        // without this node the kernel has no console to give to init
        archive.characterDevice("dev/console", 0600, 5, 1);
        archive.characterDevice("dev/null", 0666, 1, 3);
        archive.file("bin/busybox", 0755, busybox);
        archive.symlink("bin/sh", "busybox");
        archive.file("init", 0755, INIT.getBytes(StandardCharsets.UTF_8));
        archive.file("etc/udhcpc/default.script", 0755, DHCP.getBytes(StandardCharsets.UTF_8));
        for (String name : MODULES) {
            if (modules.containsKey(name)) {
                archive.file("lib/modules/%s/%s.ko".formatted(release, name), 0644, modules.get(name));
            }
        }
        return archive.toBytes();
    }
}
