package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A vCPU that has run before is executed by the thread of the proxy that lends it a CPU. */
@Tag("guest")
class HostedVcpuTest {
    private static final long POWERED_OFF = 2;
    private static final long VMMIO_WRITE = 5;
    private static final long UART = TestMachine.VMMIO_BASE;

    private static final int[] REPORTS_AND_COUNTS = {
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_00A5, // str x5, [x5]
            0x9100_04C6, // add x6, x6, #1
            0x17FF_FFFF, // b .-4
    };

    private static final int[] YIELDS = {
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_00A5, // str x5, [x5]
            0xD290_0760, // movz x0, #0x803b
            0xF2B8_C000, // movk x0, #0xc600, lsl #16
            0xD280_0001, // mov x1, #0: control
            0xD280_09A2, // mov x2, #77: argument
            0xD280_0823, // mov x3, #65
            0xD400_0002, // hvc #0
            0xF900_00A0, // str x0, [x5]
            0xF900_00A2, // str x2, [x5]
            0xF900_00A3, // str x3, [x5]
            0xD280_0000, // mov x0, #0
            0xD280_0001, // mov x1, #0
            0xD280_0002, // mov x2, #0
            0xD280_0003, // mov x3, #0
            0xD280_0004, // mov x4, #0
            0xD280_0006, // mov x6, #0
            0xD280_0007, // mov x7, #0
            0xD40C_0762, // hvc #0x603b: scheduler_yield
            0xD2A1_2005, // movz x5, #0x900, lsl #16
            0xF900_00A0, // str x0, [x5]
            0x1400_0000, // b .
    };

    private TestMachine machine;

    @BeforeEach
    void start() {
        machine = new TestMachine();
    }

    @AfterEach
    void stop() {
        machine.close();
    }

    private TestMachine.Guest started(int... program) {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1, program);
        guest.powerOn();
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, UART);
        return guest;
    }

    private static boolean executes(String thread) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(each -> each.getKey().getName().equals(thread))
                .anyMatch(each -> Arrays.stream(each.getValue())
                        .anyMatch(frame -> frame.getClassName().equals("gunyah.arm64.interp.Interpreter")));
    }

    @Test
    void itsProxysThreadExecutesItFromTheSecondRunOn() {
        TestMachine.Guest guest = started(REPORTS_AND_COUNTS);

        CompletableFuture<long[]> run = CompletableFuture.supplyAsync(() -> guest.run(0, 0, 0));
        await().atMost(60, TimeUnit.SECONDS).until(() -> executes("vm-3/vcpu-0"));
        assertThat(executes("vm-128/vcpu-0")).isFalse();
        machine.call(0x3A, guest.vcpus[0]);

        assertThat(run.orTimeout(60, TimeUnit.SECONDS).join()).startsWith(0, POWERED_OFF, 1);
    }

    @Test
    void aCallThatWaitsForATurnIsMadeOnceOnItsOwnThreadWithItsInputs() {
        TestMachine.Guest guest = started(YIELDS);

        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 0);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 77);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 65);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_WRITE, UART, 8, 0);
        assertThat(machine.hypervisor.statistics(TestMachine.GUEST).getFirst().hypercalls()).isEqualTo(2);

        CompletableFuture<long[]> run = CompletableFuture.supplyAsync(() -> guest.run(0, 0, 0));
        await().atMost(60, TimeUnit.SECONDS).until(() -> executes("vm-128/vcpu-0"));
        machine.call(0x3A, guest.vcpus[0]);
        assertThat(run.orTimeout(60, TimeUnit.SECONDS).join()).startsWith(0, POWERED_OFF, 1);
    }
}
