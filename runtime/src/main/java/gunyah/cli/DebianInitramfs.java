package gunyah.cli;

import java.nio.charset.StandardCharsets;

/** The initial RAM file system of the Debian guests: one static busybox and an init that ends in a shell. */
final class DebianInitramfs {
    /**
     * DEVTMPFS_MOUNT is off in Debian's kernels, so init mounts it. cttyhack gives the shell a controlling terminal:
     * job control and Ctrl-C work. Leaving the shell powers off.
     */
    private static final String INIT = """
            #!/bin/sh
            export PATH=/bin HOME=/root TERM=vt100 PS1='\\w # '
            /bin/busybox mount -t proc proc /proc
            /bin/busybox mount -t sysfs sysfs /sys
            /bin/busybox mount -t devtmpfs devtmpfs /dev
            /bin/busybox --install -s /bin
            mkdir -p /dev/pts /dev/shm
            mount -t devpts devpts /dev/pts
            hostname gunyah
            dmesg -n 4
            echo
            echo "Linux $(uname -r) on $(nproc) CPU(s): busybox shell, 'poweroff -f' ends the VM"
            cd /root
            setsid cttyhack sh
            poweroff -f
            """;

    private DebianInitramfs() {
    }

    /** {@return the archive, uncompressed: unpacking costs the guest more than loading costs us} */
    static byte[] build(byte[] busybox) {
        CpioArchive archive = new CpioArchive();
        for (String directory : new String[] {"bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"}) {
            archive.directory(directory);
        }
        // without this node the kernel has no console to give to init
        archive.characterDevice("dev/console", 0600, 5, 1);
        archive.characterDevice("dev/null", 0666, 1, 3);
        archive.file("bin/busybox", 0755, busybox);
        archive.symlink("bin/sh", "busybox");
        archive.file("init", 0755, INIT.getBytes(StandardCharsets.UTF_8));
        return archive.toBytes();
    }
}
