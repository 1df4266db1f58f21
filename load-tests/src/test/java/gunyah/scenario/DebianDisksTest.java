package gunyah.scenario;

import static gunyah.scenario.DebianShell.COMMAND;
import static gunyah.scenario.DebianShell.command;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DeviceConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's own driver on disks that are files. */
@Tag("boot")
class DebianDisksTest {
    private static final long MIB = 1L << 20;

    @TempDir
    private Path directory;

    /** What the host has in a disk is copied to another, read again, and is the same (1024 MiB in the long run). */
    @Test
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    void whatIsWrittenToADiskIsReadAgain() throws Exception {
        long size = Integer.getInteger("gunyah.disk.mib", 24) * MIB;
        Path source = directory.resolve("source.img");
        Random random = new Random(42);
        byte[] piece = new byte[(int) MIB];
        try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
            for (long at = 0; at < size; at += MIB) {
                random.nextBytes(piece);
                file.write(piece);
            }
        }
        Path written = directory.resolve("written.img");
        try (RandomAccessFile file = new RandomAccessFile(written.toFile(), "rw")) {
            file.setLength(size);
        }
        Path shrinking = directory.resolve("shrinking.img");
        Files.write(shrinking, new byte[(int) (4 * MIB)]);
        String sum = HostTools.digest("MD5", source, size);
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 2, "cryptomgr.notests")
                    .with(new DeviceConfig(List.of(HostTools.raw(source, true), HostTools.raw(written, false),
                            HostTools.raw(shrinking, false)), List.of())));
            DebianShell.await(vm);
            command(vm, "echo x > /dev/vda; echo refused=$?", "refused=1");
            command(vm, "cat /sys/block/vdb/serial", "disk1");
            Duration patience = COMMAND.plusSeconds(5 * size / MIB);
            command(vm, "dd if=/dev/vda of=/dev/vdb bs=1M && sync && echo copied=$?", "copied=0", patience);
            command(vm, "echo 3 > /proc/sys/vm/drop_caches; md5sum /dev/vdb", sum, patience);

            // a disk whose file is cut off answers with errors, and its guest lives
            Files.write(shrinking, new byte[(int) MIB]);
            command(vm, "dd if=/dev/vdc of=/dev/null bs=64k; echo failed=$?", "failed=1");
            command(vm, "dd if=/dev/vdc of=/dev/null bs=64k count=8; echo read=$?", "read=0");
            vm.type("poweroff -f\n");
            assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
        assertThat(HostTools.digest("MD5", written, size)).isEqualTo(sum);
    }
}
