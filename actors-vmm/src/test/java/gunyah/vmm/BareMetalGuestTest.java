package gunyah.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.BadInput;
import gunyah.config.DeviceConfig;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.hyp.Hypervisor;
import gunyah.rm.ResourceManager;
import gunyah.rm.root.RmProfile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.HostKernel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small guest through every layer: VMM, host driver, Resource Manager, hypervisor, interpreter. */
@Tag("guest")
class BareMetalGuestTest {
    /** Says hi, touches 16 pages, echoes the console until a q, checks the device tree's magic in X0, turns off. */
    private static final int[] ECHO = {
        0xd2a12014, // mov  x20, #0x9000000
        0x52800d01, // mov  w1, #'h'
        0x39000281, // strb w1, [x20]
        0x52800d21, // mov  w1, #'i'
        0x39000281, // strb w1, [x20]
        0xd2a80402, // mov  x2, #0x40200000
        0xd2800203, // mov  x3, #16
        0xf9000043, // 1: str x3, [x2]
        0x91400442, // add  x2, x2, #0x1000
        0xf1000463, // subs x3, x3, #1
        0x54ffffa1, // b.ne 1b
        0x52806021, // mov  w1, #0x301
        0xb9003281, // str  w1, [x20, #0x30]
        0xb9401a81, // 2: ldr w1, [x20, #0x18]
        0x3727ffe1, // tbnz w1, #4, 2b
        0x39400281, // ldrb w1, [x20]
        0x39000281, // strb w1, [x20]
        0x7101c43f, // cmp  w1, #'q'
        0x54ffff61, // b.ne 2b
        0xb9400001, // ldr  w1, [x0]
        0x5281ba02, // mov  w2, #0x0dd0
        0x72bdbfc2, // movk w2, #0xedfe, lsl #16
        0x6b02003f, // cmp  w1, w2
        0x52800b23, // mov  w3, #'Y'
        0x528009c4, // mov  w4, #'N'
        0x1a840061, // csel w1, w3, w4, eq
        0x39000281, // strb w1, [x20]
        0x52800100, // mov  w0, #0x0008
        0x72b08000, // movk w0, #0x8400, lsl #16
        0xd4000002, // hvc  #0
        0x14000000, // b    .
    };
    private static final int[] SPIN = {0x14000000};
    private static final int[] RESET = {
        0x52800120, // mov  w0, #0x0009
        0x72b08000, // movk w0, #0x8400, lsl #16
        0xd4000002, // hvc  #0
    };
    /** Jumps where nothing is, with no vectors set. */
    private static final int[] LOST = {
        0xd2dbd5a8, // mov  x8, #0xdead00000000
        0xd61f0100, // br   x8
    };
    /** Waits for an interrupt that never comes. */
    private static final int[] WAIT = {
        0xd503207f, // wfi
        0x17ffffff, // b    .-4
    };

    /**
     * Writes to 64 pages from 0x40200000 on, drives the balloon (queue 0 at 0x20000000), says r, unlocks as many of the
     * first pages as it is asked for and inflates it with them, says i and waits for a key. Then Z when these pages are
     * zero and the next is not, else N, and off.
     */
    private static final int[] BALLOON = {
        0xd2a12014, // mov x20, #0x9000000
        0xd2a14015, // mov x21, #0xa000000
        0x52806021, // mov w1, #0x301
        0xb9003281, // str w1, [x20, #48]
        0xd2a80402, // mov x2, #0x40200000
        0xd2800803, // mov x3, #0x40
        0xf9000043, // str x3, [x2]
        0x91400442, // add x2, x2, #0x1, lsl #12
        0xf1000463, // subs x3, x3, #0x1
        0x54ffffa1, // b.ne 18  // b.any
        0x52800021, // mov w1, #0x1
        0xb90026a1, // str w1, [x21, #36]
        0x52800061, // mov w1, #0x3
        0xb90022a1, // str w1, [x21, #32]
        0x52800161, // mov w1, #0xb
        0xb90072a1, // str w1, [x21, #112]
        0x52800101, // mov w1, #0x8
        0xb9003aa1, // str w1, [x21, #56]
        0xd2a40016, // mov x22, #0x20000000
        0xb90082b6, // str w22, [x21, #128]
        0x914006d7, // add x23, x22, #0x1, lsl #12
        0xb90092b7, // str w23, [x21, #144]
        0x91400ad8, // add x24, x22, #0x2, lsl #12
        0xb900a2b8, // str w24, [x21, #160]
        0x52800021, // mov w1, #0x1
        0xb90046a1, // str w1, [x21, #68]
        0x528001e1, // mov w1, #0xf
        0xb90072a1, // str w1, [x21, #112]
        0xf90002df, // str xzr, [x22]
        0x52800e41, // mov w1, #0x72
        0x39000281, // strb w1, [x20]
        0xb94102b3, // ldr w19, [x21, #256]
        0x34fffff3, // cbz w19, 7c
        0x52900d20, // mov w0, #0x8069
        0x72b8c000, // movk w0, #0xc600, lsl #16
        0xd2800001, // mov x1, #0x0
        0xd2a80402, // mov x2, #0x40200000
        0xd374ce63, // lsl x3, x19, #12
        0xd2800024, // mov x4, #0x1
        0xd2800005, // mov x5, #0x0
        0xd4000002, // hvc #0x0
        0x91400ec8, // add x8, x22, #0x3, lsl #12
        0x52804003, // mov w3, #0x200
        0x72a00083, // movk w3, #0x4, lsl #16
        0x2a1303e9, // mov w9, w19
        0xb8004503, // str w3, [x8], #4
        0x11000463, // add w3, w3, #0x1
        0x71000529, // subs w9, w9, #0x1
        0x54ffffa1, // b.ne b4  // b.any
        0x91400ec8, // add x8, x22, #0x3, lsl #12
        0xf90002c8, // str x8, [x22]
        0x531e7669, // lsl w9, w19, #2
        0xb9000ac9, // str w9, [x22, #8]
        0xb9000edf, // str wzr, [x22, #12]
        0x52800021, // mov w1, #0x1
        0x790006e1, // strh w1, [x23, #2]
        0xd5033fbf, // dmb sy
        0xb90052bf, // str wzr, [x21, #80]
        0x79400701, // ldrh w1, [x24, #2]
        0x34ffffe1, // cbz w1, e8
        0xb90106b3, // str w19, [x21, #260]
        0x52800d21, // mov w1, #0x69
        0x39000281, // strb w1, [x20]
        0xb9401a81, // ldr w1, [x20, #24]
        0x3727ffe1, // tbnz w1, #4, fc
        0x39400281, // ldrb w1, [x20]
        0xd2a80402, // mov x2, #0x40200000
        0xd2800009, // mov x9, #0x0
        0xf9400041, // ldr x1, [x2]
        0xaa010129, // orr x9, x9, x1
        0x91400442, // add x2, x2, #0x1, lsl #12
        0x71000673, // subs w19, w19, #0x1
        0x54ffff81, // b.ne 110  // b.any
        0xf9400041, // ldr x1, [x2]
        0xf100013f, // cmp x9, #0x0
        0x52800b43, // mov w3, #0x5a
        0x528009c4, // mov w4, #0x4e
        0x1a840063, // csel w3, w3, w4, eq
        0xf100003f, // cmp x1, #0x0
        0x1a830083, // csel w3, w4, w3, eq
        0x39000283, // strb w3, [x20]
        0x52800100, // mov w0, #0x8
        0x72b08000, // movk w0, #0x8400, lsl #16
        0xd4000002, // hvc #0x0
        0x14000000, // b 150
    };

    private static ActorTestKit kit;
    private static Hypervisor hypervisor;
    private static GunyahDevice device;

    @TempDir
    private Path directory;

    @BeforeAll
    static void bootMachine() {
        kit = ActorTestKit.create("vmm-on-hypervisor", ConfigFactory.load());
        HostKernel host = new HostKernel(kit.system());
        hypervisor = Hypervisor.start(kit.system(), new MachineConfig(2, 512L << 20, 5_000_000), System::nanoTime,
                (vmid, index) -> vmid == 3 ? Optional.of(host.newCpu()) : Optional.empty(),
                ResourceManager.program(behavior -> kit.spawn(behavior, "rm"), RmProfile.large(), () -> 42));
        device = get(host.device());
    }

    @AfterAll
    static void stopMachine() {
        hypervisor.close();
        kit.shutdownTestKit();
    }

    private static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    private VmConfig config(String name, int... program) throws IOException {
        ByteBuffer code = ByteBuffer.allocate(program.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : program) {
            code.putInt(word);
        }
        Path file = Files.write(directory.resolve(name), code.array());
        return new VmConfig(name, 1, 4 << 20, Optional.of(file), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true);
    }

    private static RunningVm launch(VmConfig config, ByteArrayOutputStream console) {
        return get(new Vmm(device, kit.system()).launch(config, console::writeBytes));
    }

    @Test
    void aGuestTalksReadsItsDeviceTreeAndTurnsItselfOff() throws IOException {
        ByteArrayOutputStream console = new ByteArrayOutputStream();
        RunningVm vm = launch(config("echo", ECHO), console);

        vm.type("abcq".getBytes(StandardCharsets.UTF_8));
        VmExit exit = get(vm.exit());

        assertThat(exit.kind()).isEqualTo(VmExit.Kind.POWERED_OFF);
        assertThat(console).hasToString("hiabcqY");
        VmStatistics statistics = vm.statistics();
        assertThat(statistics.pagesLent()).isEqualTo(16 + 1 + 16).isEqualTo(statistics.pagesReturned());
        assertThat(statistics.mmioExits().get("pl011")).isGreaterThan(10);
    }

    @Test
    void aBalloonTakesPagesFromARunningGuest() throws IOException {
        ByteArrayOutputStream console = new ByteArrayOutputStream();
        RunningVm vm = launch(config("balloon", BALLOON).with(DeviceConfig.NONE.withBalloon(0)), console);
        await(console, "r");
        long before = lentNow(vm);
        int usedBefore = device.usedHostPages();

        vm.balloon().orElseThrow().target(32 << 12);

        await(console, "ri");
        assertThat(vm.balloon().orElseThrow().inflatedBytes()).isEqualTo(32 << 12);
        assertThat(lentNow(vm)).isEqualTo(before - 32);
        assertThat(device.usedHostPages()).isEqualTo(usedBefore - 32);
        vm.type("x".getBytes(StandardCharsets.UTF_8));
        assertThat(get(vm.exit()).kind()).isEqualTo(VmExit.Kind.POWERED_OFF);
        assertThat(console).hasToString("riZ");
        assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent());
    }

    private static long lentNow(RunningVm vm) {
        VmStatistics statistics = vm.statistics();
        return statistics.pagesLent() - statistics.pagesReturned();
    }

    private static void await(ByteArrayOutputStream console, String text) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!console.toString(StandardCharsets.UTF_8).equals(text)) {
            assertThat(System.nanoTime()).as("waiting for %s", text).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void aGuestThatSpinsCanBeStopped() throws IOException {
        RunningVm vm = launch(config("spin", SPIN), new ByteArrayOutputStream());

        vm.stop();

        assertThat(get(vm.exit()).kind()).isEqualTo(VmExit.Kind.STOPPED);
        assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent());
    }

    @Test
    void aGuestThatSleepsCanBeStopped() throws IOException {
        RunningVm vm = launch(config("wait", WAIT), new ByteArrayOutputStream());

        vm.stop();

        assertThat(get(vm.exit()).kind()).isEqualTo(VmExit.Kind.STOPPED);
    }

    @Test
    void aGuestThatLostItsWayIsHaltedAndReported() throws IOException {
        RunningVm vm = launch(config("lost", LOST), new ByteArrayOutputStream());

        VmExit exit = get(vm.exit());

        assertThat(exit.kind()).isEqualTo(VmExit.Kind.CRASHED);
        assertThat(exit.exitType()).isEqualTo(5);
        assertThat(vm.statistics().pagesReturned()).isEqualTo(vm.statistics().pagesLent());
    }

    @Test
    void aResetIsToldFromAPowerOff() throws IOException {
        assertThat(get(launch(config("reset", RESET), new ByteArrayOutputStream()).exit()).kind())
                .isEqualTo(VmExit.Kind.RESET);
    }

    @Test
    void manyGuestsAtOnceReturnEveryPage() throws IOException {
        int before = device.usedHostPages();
        List<RunningVm> vms = new ArrayList<>();
        List<ByteArrayOutputStream> consoles = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            consoles.add(new ByteArrayOutputStream());
            vms.add(launch(config("echo-" + i, ECHO), consoles.getLast()));
        }

        vms.forEach(vm -> vm.type("q".getBytes(StandardCharsets.UTF_8)));

        for (int i = 0; i < vms.size(); i++) {
            assertThat(get(vms.get(i).exit()).kind()).isEqualTo(VmExit.Kind.POWERED_OFF);
            assertThat(consoles.get(i)).hasToString("hiqY");
        }
        assertThat(device.usedHostPages()).isEqualTo(before);
    }

    @Test
    void badInputReachesTheCallerAndLeavesNothingBehind() throws IOException {
        int before = device.usedHostPages();
        VmConfig missing = new VmConfig("missing", 1, 4 << 20, Optional.of(directory.resolve("none")),
                Optional.empty(), Optional.empty(), "", Optional.empty(), true);

        assertThatThrownBy(() -> launch(missing, new ByteArrayOutputStream())).isInstanceOf(BadInput.class)
                .hasMessageContaining("does not exist");

        assertThat(device.usedHostPages()).isEqualTo(before);
    }
}
