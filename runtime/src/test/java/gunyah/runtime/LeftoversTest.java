package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ended and refused VMs leave in a system that goes on, and what a closed system leaves in the JVM. */
@Tag("guest")
class LeftoversTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int[] POWER_OFF = {
        0x52800100, // mov  w0, #0x0008
        0x72b08000, // movk w0, #0x8400, lsl #16
        0xd4000002, // hvc  #0
    };
    /** With no vectors set. */
    private static final int[] UNDEFINED = {0};
    private static final int[] SPIN = {0x14000000};
    private static final int ROUNDS = 20;
    /** Room for a machine that is used by one VM of 4 MiB at a time: memory that stays away is missed soon. */
    private static final MachineConfig MACHINE = new MachineConfig(2, 128L << 20, 5_000_000);

    @TempDir
    private Path directory;

    private VmConfig config(String name, int... program) throws IOException {
        ByteBuffer code = ByteBuffer.allocate(program.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : program) {
            code.putInt(word);
        }
        return config(name, Files.write(directory.resolve(name), code.array()));
    }

    private static VmConfig config(String name, Path kernel) {
        return new VmConfig(name, 2, 4L << 20, Optional.of(kernel), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true);
    }

    private static Set<Thread> threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith(prefix))
                .collect(Collectors.toSet());
    }

    /** Threads end a moment after their VM. */
    private static void awaitEnd(Set<Thread> threads) throws InterruptedException {
        long deadline = System.nanoTime() + SOON.toNanos();
        for (Thread thread : threads) {
            TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, deadline - System.nanoTime()));
            assertThat(thread.isAlive()).as(thread.getName()).isFalse();
        }
    }

    private static VmOutcome.Kind end(GunyahSystem system, VmConfig config) {
        Vm vm = system.createVm(config);
        VmOutcome.Kind kind = vm.awaitExit(SOON).kind();
        assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent()).isPositive();
        return kind;
    }

    @Test
    void vmsLeaveNoThreadAndNoMemoryBehind() throws Exception {
        Set<Thread> before = threads("");
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            for (int i = 0; i < ROUNDS; i++) {
                assertThat(end(system, config("off-" + i, POWER_OFF))).isEqualTo(VmOutcome.Kind.POWERED_OFF);
                assertThat(end(system, config("crash-" + i, UNDEFINED))).isEqualTo(VmOutcome.Kind.CRASHED);
                VmConfig absent = config("absent-" + i, directory.resolve("absent"));
                assertThatThrownBy(() -> system.createVm(absent)).isInstanceOf(BadInput.class);
                Vm spinning = system.createVm(config("spin-" + i, SPIN));
                spinning.stop();
                assertThat(spinning.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.STOPPED);
            }
            awaitEnd(threads("vm-128"));
            assertThat(threads("vm-1")).isEmpty();
        }
        Set<Thread> started = threads("");
        started.removeAll(before);
        awaitEnd(started.stream().filter(thread -> thread.getName().matches("(vm-|gunyah|cpu|pcpu).*"))
                .collect(Collectors.toSet()));
    }
}
