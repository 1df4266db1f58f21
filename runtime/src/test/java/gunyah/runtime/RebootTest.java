package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.MachineConfig;
import gunyah.config.MemoryConfig;
import gunyah.config.VmConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Guests that ask for a reset are started again; and every way to give a guest its memory. */
@Tag("guest")
class RebootTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Prints '>', reads a character; 'r' resets, any other powers off. */
    private static final int[] PROGRAM = {
        0xd2a12001, //    mov  x1, #0x9000000
        0x52806020, //    mov  w0, #0x301
        0xb9003020, //    str  w0, [x1, #48]
        0x528007c0, //    mov  w0, #0x3e
        0xb9000020, //    str  w0, [x1]
        0xb9401822, // 1: ldr  w2, [x1, #24]
        0x3727ffe2, //    tbnz w2, #4, 1b
        0xb9400023, //    ldr  w3, [x1]
        0x52800100, //    mov  w0, #0x8
        0x7101c87f, //    cmp  w3, #0x72
        0x1a801400, //    cinc w0, w0, eq
        0x72b08000, //    movk w0, #0x8400, lsl #16
        0xd4000002, //    hvc  #0
    };
    private static final MachineConfig MACHINE = new MachineConfig(2, 128L << 20, 5_000_000);

    @TempDir
    private Path directory;

    private VmConfig config() throws IOException {
        ByteBuffer code = ByteBuffer.allocate(PROGRAM.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : PROGRAM) {
            code.putInt(word);
        }
        return new VmConfig("again", 2, 8L << 20, Optional.of(Files.write(directory.resolve("k"), code.array())),
                Optional.empty(), Optional.empty(), "", Optional.empty(), true);
    }

    @Test
    void aGuestIsStartedAgainAsOftenAsItAsks() throws IOException {
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            Vm vm = system.createVm(config());
            int rounds = 5;
            for (int i = 0; i < rounds; i++) {
                vm.awaitConsole(">", SOON);
                assertThat(vm.exit().toCompletableFuture()).isNotDone();
                vm.type("r");
            }
            vm.awaitConsole(">", SOON);
            vm.type("o");

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            assertThat(vm.statistics().hypercalls()).as("of all its lives").isEqualTo(rounds + 1);
            assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent()).isPositive();
        }
    }

    @Test
    void itMayBeStoppedWhileItStartsAgain() throws IOException {
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            Vm vm = system.createVm(config());
            vm.awaitConsole(">", SOON);
            vm.type("r");
            vm.stop();

            assertThat(vm.awaitExit(SOON).kind()).isIn(VmOutcome.Kind.STOPPED, VmOutcome.Kind.RESET);
        }
    }

    @Test
    void aGuestWhoseKernelIsGoneMeanwhileEndsWithTheReason() throws IOException {
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            VmConfig config = config();
            Vm vm = system.createVm(config);
            vm.awaitConsole(">", SOON);
            Files.delete(config.kernel().orElseThrow());
            vm.type("r");

            VmOutcome end = vm.awaitExit(SOON);
            assertThat(end.kind()).isEqualTo(VmOutcome.Kind.CRASHED);
            assertThat(end.reason()).contains("could not be started again").contains("does not exist");
        }
    }

    @ParameterizedTest
    @CsvSource({"true,false,false", "true,false,true", "true,true,false", "true,true,true", "false,false,false",
        "false,false,true", "false,true,false", "false,true,true"})
    void memoryIsLentOrSharedWhenTouchedOrBeforeInPagesOrBlocks(boolean isProtected, boolean preallocated,
            boolean hugePages) throws IOException {
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            Vm vm = system.createVm(config().with(new MemoryConfig(isProtected, preallocated, hugePages)));
            vm.awaitConsole(">", SOON);
            vm.type("o");

            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            VmStatistics used = vm.statistics();
            assertThat(used.pagesReturned()).isEqualTo(used.pagesLent());
            if (preallocated) {
                assertThat(used.pagesLent()).isEqualTo(2048);
                assertThat(used.stage2Faults()).as("none but those of the UART").isEqualTo(used.mmioExits());
            } else {
                assertThat(used.pagesLent()).isBetween(hugePages ? 1024L : 17L, hugePages ? 1024L : 40L);
            }
        }
    }
}
