package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import gunyah.runtime.VmStatistics;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The built-in guest through every layer: what it measures and what its commands answer. */
@Tag("guest")
class BuiltinGuestTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private VmConfig builtin(String name, int cpus) throws IOException {
        Path image = directory.resolve("builtin.img");
        if (!Files.exists(image)) {
            try (InputStream resource = GunyahSystem.class.getResourceAsStream("/gunyah/guest/builtin.img")) {
                Files.copy(resource, image);
            }
        }
        return new VmConfig(name, cpus, 128 * Guests.MIB, Optional.of(image), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void itMeasuresTheMachineAndAnswersItsCommands(int cpus) throws IOException {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(builtin("builtin", cpus));

            vm.awaitConsole("PSCI 1.1, SMCCC 1.3", SOON);
            vm.awaitConsole("hypervisor: Gunyah, UID cd8fd5c1-db5f53a4-36ce6592-145f3d67", SOON);
            vm.awaitConsole(Pattern.compile("api_info 0x[0-9a-f]+ \\(API version 1\\)"), SOON);
            vm.awaitConsole("machine: 128 MiB RAM, %d vCPUs".formatted(cpus), SOON);
            vm.awaitConsole("paging: 64 MiB touched", SOON);
            vm.awaitConsole(", 0 wrong", SOON);
            vm.awaitConsole("timer: 50 interrupts every 2000 us", SOON);
            if (cpus > 1) {
                assertThat(rounds(vm, "WFE/SEV")).isPositive();
                assertThat(rounds(vm, "SGI/WFI")).isPositive();
            }
            vm.awaitConsole("ready, type help", SOON);
            vm.type("ticks\rfault\rmem\roff\r");
            vm.awaitConsole(Pattern.compile("\\d+ timer interrupts, up \\d+ ms"), SOON);
            vm.awaitConsole("ESR_EL1 0x96000005 (EC 0x25, ISS 0x5), FAR_EL1 0x7fdead0000", SOON);
            vm.awaitConsole("a translation fault, as it should be", SOON);
            vm.awaitConsole(Pattern.compile("touched 0x[0-9a-f]+, 16384 pages"), SOON);

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            VmStatistics used = vm.statistics();
            assertThat(used.pagesLent()).isGreaterThan(16384);
            assertThat(used.pagesReturned()).isEqualTo(used.pagesLent());
            assertThat(used.virqs()).isGreaterThan(50);
            assertThat(used.stage2Faults()).isPositive();
            assertThat(used.hypercalls()).isPositive();
            assertThat(used.mmioExits()).isPositive();
        }
    }

    private static long rounds(Vm vm, String how) {
        MatchResult match = vm.awaitConsole(Pattern.compile("messages by " + how + ": (\\d+) round trips"), SOON);
        return Long.parseLong(match.group(1));
    }

    @Test
    void aSystemReusesWhatAnEndedVmGaveBack() throws IOException {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            for (int i = 0; i < 3; i++) {
                Vm vm = system.createVm(builtin("builtin-" + i, 1));
                vm.awaitConsole("ready, type help", SOON);
                vm.type("off\r");
                assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            }
        }
    }

    @Test
    void aVmCanBeStoppedFromOutside() throws IOException {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(builtin("builtin", 2));
            vm.awaitConsole("ready, type help", SOON);

            vm.stop();

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.STOPPED);
            assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent());
        }
    }
}
