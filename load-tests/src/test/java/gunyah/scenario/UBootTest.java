package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DeviceConfig;
import gunyah.config.DiskConfig;
import gunyah.config.MemoryConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian's U-Boot as firmware: its own drivers find the machine by the device tree at the start of RAM. */
@Tag("boot")
class UBootTest {
    private static final Duration SOON = Duration.ofMinutes(1);

    @TempDir
    private Path directory;

    @Test
    void uBootReachesItsPromptAndPowersOff() {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.firmware("u-boot"));

            vm.awaitConsole("U-Boot 2023.01", SOON);
            vm.awaitConsole(Pattern.compile("DRAM: +256 MiB"), SOON);
            vm.awaitConsole("Hit any key to stop autoboot", SOON);
            vm.type("\n");
            vm.awaitConsole("=> ", SOON);
            vm.type("version\n");
            vm.awaitConsole("U-Boot 2023.01", SOON);
            vm.awaitConsole("=> ", SOON);
            vm.type("poweroff\n");

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }

    /** U-Boot does not bounce: it reads a disk because the host shares its memory; and it comes back after a reset. */
    @Test
    void uBootReadsADiskInSharedMemoryAndResets() throws IOException {
        byte[] sector = new byte[512];
        new Random(7).nextBytes(sector);
        Path disk = Files.write(directory.resolve("disk.img"), Arrays.copyOf(sector, 1 << 20));
        DiskConfig raw = new DiskConfig(disk, true, Optional.of(DiskConfig.Format.RAW));
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.firmware("u-boot").with(new MemoryConfig(false, false, true))
                    .with(new DeviceConfig(List.of(raw), List.of())));
            for (int lives = 0; lives < 2; lives++) {
                vm.awaitConsole("Hit any key to stop autoboot", SOON);
                vm.type("\n");
                vm.awaitConsole("=> ", SOON);
                command(vm, "virtio scan");
                vm.type("virtio read 0x41000000 0 1\n");
                vm.awaitConsole("1 blocks read: OK", SOON);
                vm.type("crc32 0x41000000 0x200\n");
                CRC32 sum = new CRC32();
                sum.update(sector);
                vm.awaitConsole("==> %08x".formatted(sum.getValue()), SOON);
                vm.awaitConsole("=> ", SOON);
                vm.type(lives == 0 ? "reset\n" : "poweroff\n");
            }

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }

    private static void command(Vm vm, String line) {
        vm.type(line + "\n");
        vm.awaitConsole(line, SOON);
        vm.awaitConsole("=> ", SOON);
    }
}
