package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The primary VM is a program of ours without any library, written in C in {@code src/test/guest/rm}: it speaks to the
 * Resource Manager in bytes through message queues, plays the life of two VMs through, one that it runs itself and one
 * that the hypervisor schedules, and compares every byte it receives.
 */
@Tag("guest")
class RmClientTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final long MEMORY = 128L << 20;
    private static final long MANAGER = 8L << 20;

    @Test
    void aClientInGuestCodeFindsEveryByteOfTheResourceManagerAsExpected(@TempDir Path directory) throws Exception {
        Path kernel = directory.resolve("rm-client.img");
        try (InputStream image = RmClientTest.class.getResourceAsStream("rm-client.img")) {
            Files.copy(image, kernel);
        }
        MachineConfig machine = new MachineConfig(2, MEMORY + MANAGER, 5_000_000, Engine.INTERPRET,
                CpuModel.DEFAULT, true);
        try (GunyahSystem system = GunyahSystem.start(machine)) {
            Vm vm = system.createVm(new VmConfig("client", 2, MEMORY, Optional.of(kernel), Optional.empty(),
                    Optional.empty(), "", Optional.empty(), true));

            VmOutcome end = vm.awaitExit(LIMIT);

            assertThat(vm.console().text().lines().toList()).startsWith("client of the Resource Manager")
                    .endsWith("PASSED").contains("VM_EXITED, powered off", "RECLAIM of the buffer, sanitised")
                    .hasSize(46);
            assertThat(end.kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }
}
