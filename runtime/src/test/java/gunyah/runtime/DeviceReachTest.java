package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DeviceConfig;
import gunyah.config.MachineConfig;
import gunyah.config.MemoryConfig;
import gunyah.config.Serial;
import gunyah.config.VmConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a virtio device reaches of its guest. The guest gives a buffer with a mark in it to the source of entropy, and
 * prints 'D' when it came back or 'B' when the device broke, then '+' when the mark is still there.
 */
@Tag("guest")
class DeviceReachTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int RINGS = 15;
    private static final int BUFFER = 24;
    private static final int[] PROGRAM = {
        0xd2a12001, // mov x1, #0x9000000
        0x52806020, // mov w0, #0x301
        0xb9003020, // str w0, [x1, #48]
        0xd2a14002, // mov x2, #0xa000000
        0x52800020, // mov w0, #0x1
        0xb9007040, // str w0, [x2, #112]
        0x52800060, // mov w0, #0x3
        0xb9007040, // str w0, [x2, #112]
        0x52800020, // mov w0, #0x1
        0xb9001440, // str w0, [x2, #20]
        0xb9401043, // ldr w3, [x2, #16]
        0xb9002440, // str w0, [x2, #36]
        0xb9002043, // str w3, [x2, #32]
        0x52800160, // mov w0, #0xb
        0xb9007040, // str w0, [x2, #112]
        0xd2a80604, // mov x4, #0x40300000
        0xb900305f, // str wzr, [x2, #48]
        0x52800100, // mov w0, #0x8
        0xb9003840, // str w0, [x2, #56]
        0xb9008044, // str w4, [x2, #128]
        0x91400485, // add x5, x4, #0x1, lsl #12
        0xb9009045, // str w5, [x2, #144]
        0x91400886, // add x6, x4, #0x2, lsl #12
        0xb900a046, // str w6, [x2, #160]
        0x91400c87, // add x7, x4, #0x3, lsl #12
        0xd2ebd848, // mov x8, #0x5ec2000000000000
        0xf90000e8, // str x8, [x7]
        0xf9000087, // str x7, [x4]
        0x52800800, // mov w0, #0x40
        0xb9000880, // str w0, [x4, #8]
        0x52800040, // mov w0, #0x2
        0xb9000c80, // str w0, [x4, #12]
        0x52800020, // mov w0, #0x1
        0x790004a0, // strh w0, [x5, #2]
        0xd5033fbf, // dmb sy
        0xb9004440, // str w0, [x2, #68]
        0x528001e0, // mov w0, #0xf
        0xb9007040, // str w0, [x2, #112]
        0xb900505f, // str wzr, [x2, #80]
        0xb9407040, // ldr w0, [x2, #112]
        0x373000a0, // tbnz w0, #6, 0xb4
        0x794004c9, // ldrh w9, [x6, #2]
        0x34ffffa9, // cbz w9, 0x9c
        0x52800880, // mov w0, #0x44
        0x14000002, // b 0xb8
        0x52800840, // mov w0, #0x42
        0xf94000e9, // ldr x9, [x7]
        0xeb08013f, // cmp x9, x8
        0x5280056a, // mov w10, #0x2b
        0x528005ab, // mov w11, #0x2d
        0x1a8b014a, // csel w10, w10, w11, eq
        0xb9000020, // str w0, [x1]
        0xb900002a, // str w10, [x1]
        0x52800100, // mov w0, #0x8
        0x72b08000, // movk w0, #0x8400, lsl #16
        0xd4000002, // hvc #0x0
    };
    private static final int RINGS_IN_THE_SHARED_WINDOW = 0xd2a40004; // mov x4, #0x20000000
    private static final int BUFFER_IN_RAM = 0xd2a80607; // mov x7, #0x40300000

    @TempDir
    private Path directory;

    private String answer(boolean isProtected, int... program) throws IOException {
        ByteBuffer code = ByteBuffer.allocate(program.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : program) {
            code.putInt(word);
        }
        VmConfig config = new VmConfig("reach", 1, 8L << 20,
                Optional.of(Files.write(directory.resolve("k"), code.array())), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true).with(new MemoryConfig(isProtected, false, false))
                .with(new DeviceConfig(List.of(), List.of(), true, Serial.PL011, List.of(), Optional.empty(),
                        OptionalLong.empty()));
        try (GunyahSystem system = GunyahSystem.start(new MachineConfig(2, 128L << 20, 5_000_000))) {
            Vm vm = system.createVm(config);
            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent());
            return vm.console().text();
        }
    }

    private static int[] with(int index, int word, int[] program) {
        int[] changed = program.clone();
        changed[index] = word;
        return changed;
    }

    @Test
    void aDeviceReachesAllThatIsShared() throws IOException {
        assertThat(answer(false, PROGRAM)).isEqualTo("D-");
    }

    @Test
    void ringsInLentMemoryBreakTheDeviceAndNotTheGuest() throws IOException {
        assertThat(answer(true, PROGRAM)).isEqualTo("B+");
    }

    @Test
    void aBufferInLentMemoryIsNotWritten() throws IOException {
        assertThat(answer(true, with(RINGS, RINGS_IN_THE_SHARED_WINDOW, with(BUFFER, BUFFER_IN_RAM, PROGRAM))))
                .isEqualTo("B+");
    }

    @Test
    void aBufferInTheSharedWindowIs() throws IOException {
        assertThat(answer(true, with(RINGS, RINGS_IN_THE_SHARED_WINDOW, PROGRAM))).isEqualTo("D-");
    }
}
