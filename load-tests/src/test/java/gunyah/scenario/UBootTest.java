package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Debian's U-Boot as firmware: its own drivers find the machine by the device tree at the start of RAM. */
@Tag("boot")
class UBootTest {
    private static final Duration SOON = Duration.ofMinutes(1);

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
}
