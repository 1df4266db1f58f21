package gunyah.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.BadInput;
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
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
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
