package gunyah.scenario;

import static gunyah.scenario.DebianShell.BOOT;
import static gunyah.scenario.DebianShell.COMMAND;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DeviceConfig;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian from a disk of its own (tools/make-root-disk.sh), which outlives its VM. */
@Tag("boot")
class DebianRootDiskTest {
    private static final String PROMPT = "-bash-5";

    private static VmConfig debian(Path disk) {
        return Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests root=/dev/vda")
                .with(new DeviceConfig(List.of(HostTools.raw(disk, false)), List.of()));
    }

    private static Vm logIn(GunyahSystem system, Path disk) {
        Vm vm = system.createVm(debian(disk));
        vm.awaitConsole("login: ", BOOT);
        vm.type("root\n");
        vm.awaitConsole(PROMPT, COMMAND);
        return vm;
    }

    @Test
    void logsInWritesIsKilledAndLogsInAgain(@TempDir Path directory) throws Exception {
        Path disk = directory.resolve("root.img");
        Files.copy(Guests.file("root.img"), disk);
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = logIn(system, disk);
            vm.type("head -c 2000000 /dev/urandom > kept; sync; sha256sum kept > sum; sync; echo written=$?\n");
            vm.awaitConsole("written=0", COMMAND);
            vm.type("while true; do head -c 3000000 /dev/zero > lost; sync; echo again; rm lost; done\n");
            vm.awaitConsole("\nagain", COMMAND);
            vm.awaitConsole("\nagain", COMMAND);
            vm.stop();
            vm.awaitExit(COMMAND);
        }

        HostTools.recovers(disk);

        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = logIn(system, disk);
            vm.type("sha256sum -c sum; . /etc/os-release; echo $ID $VERSION_ID\n");
            vm.awaitConsole("kept: OK", COMMAND);
            vm.awaitConsole("debian 12", COMMAND);
            vm.type("sync; poweroff -f\n");
            assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }
}
