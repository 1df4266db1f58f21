package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** PSCI 1.1 and the SMCCC rules around it, called by guest code. */
@Tag("guest")
class PsciTest {
    private static final long EXPECTS_WAKEUP = 1;
    private static final long NOT_SUPPORTED = 0xFFFF_FFFFL;
    private static final long INVALID_PARAMETERS = 0xFFFF_FFFEL;
    private static final long GICD = 0x0800_0000L;
    private static final long GICR = 0x080A_0000L;
    private static final int SPI = 33;

    private final TestMachine machine = new TestMachine();

    @AfterEach
    void stop() {
        machine.close();
    }

    @Test
    void theSubsetAnswersAndTheRestIsNotSupported() {
        GuestCalls guest = GuestCalls.start(machine, 1);

        assertThat(guest.smccc(0x8400_0000L, 7, 8, 9)).containsExactly(0x1_0001, 7, 8, 9, 0);
        assertThat(guest.smccc(0x8401_0000L)[0]).as("with the SVE hint").isEqualTo(0x1_0001);
        assertThat(guest.smccc(0x8402_0000L)[0]).as("with a bit that must be zero").isEqualTo(-1);
        assertThat(guest.smccc(0xC400_0000L)[0]).as("VERSION is SMC32 only").isEqualTo(-1);
        assertThat(guest.smccc(0x0400_0000L)[0]).as("a yielding call").isEqualTo(-1);
        assertThat(guest.smccc(0x8400_000AL, 0x8000_0000L)[0]).isZero();
        for (long served : new long[] {0x8400_0002L, 0x8400_0003L, 0xC400_0003L, 0x8400_0004L, 0xC400_0004L,
                0x8400_0008L, 0x8400_0009L, 0x8400_000AL, 0x8400_000CL, 0xC400_000CL, 0x8400_000FL, 0x8400_0012L,
                0xC400_0012L}) {
            assertThat(guest.smccc(0x8400_000AL, served)[0]).as("0x%x", served).isZero();
        }
        assertThat(guest.smccc(0x8400_000AL, 0xC400_0001L)[0]).isEqualTo(2);
        for (long absent : new long[] {0x8400_0006L, 0x8400_000EL, 0xC400_0010L, 0x8400_0013L, 0xC400_0002L}) {
            assertThat(guest.smccc(0x8400_000AL, absent)[0]).as("0x%x", absent).isEqualTo(NOT_SUPPORTED);
            assertThat(guest.smccc(absent)[0]).as("0x%x", absent).isEqualTo(-1);
        }
        assertThat(guest.smccc(0x8400_000FL, 0)[0]).isZero();
        assertThat(guest.smccc(0x8400_000FL, 1)[0]).isEqualTo(INVALID_PARAMETERS);
    }

    @Test
    void cpuOnTellsAnUnknownAffinityFromAVcpuThatIsNotThere() {
        GuestCalls guest = GuestCalls.start(machine, 2);

        assertThat(guest.smccc(0xC400_0004L, 0, 0)[0]).isZero();
        assertThat(guest.smccc(0xC400_0004L, 1, 0)[0]).isEqualTo(1);
        assertThat(guest.smccc(0xC400_0004L, 1, 1)[0]).isEqualTo(-2);
        assertThat(guest.smccc(0x8400_0004L, 2, 0)[0]).isEqualTo(INVALID_PARAMETERS);
        assertThat(guest.smccc(0xC400_0003L, 0, TestMachine.RAM, 0)[0]).isEqualTo(-4);
        assertThat(guest.smccc(0xC400_0003L, 2, TestMachine.RAM, 0)[0]).isEqualTo(-2);
        assertThat(guest.smccc(0xC400_0003L, 1L << 31, TestMachine.RAM, 0)[0]).isEqualTo(-2);

        machine.call(0x22, machine.hostCspace, guest.guest.hostCaps[1]);
        machine.call(0x22, machine.env.cspaceCap(), guest.guest.vcpus[1]);

        assertThat(guest.smccc(0xC400_0003L, 1, TestMachine.RAM, 0)[0]).isEqualTo(-6);
        assertThat(guest.smccc(0x8400_0003L, 1, TestMachine.RAM, 0)[0]).isEqualTo(0xFFFF_FFFAL);
    }

    @Test
    void aSecondaryStartsWithItsContext() {
        GuestCalls guest = GuestCalls.start(machine, 2);

        assertThat(guest.smccc(0xC400_0003L, 1, TestMachine.RAM, 77)[0]).isZero();

        GuestCalls secondary = guest.other(1, 77);
        assertThat(secondary.smccc(0x8400_0004L, 0, 0)[0]).isZero();
        assertThat(guest.smccc(0xC400_0004L, 1, 0)[0]).isZero();
    }

    @Test
    void standbyGoesOnBehindTheCall() {
        GuestCalls guest = GuestCalls.start(machine, 1);
        long bell = doorbell(guest);

        assertThat(guest.callUntilExit(0xC400_0001L, 1, 0, 0)).startsWith(0, EXPECTS_WAKEUP, 1, 2, 0);
        assertThat(machine.call(0x68, guest.guest.vcpus[0])).startsWith(0, EXPECTS_WAKEUP, 1, 2, 0);
        machine.call(0x12, bell, 1);
        awaitWakeup();

        assertThat(guest.finish(guest.run(0))[0]).isZero();
        assertThat(guest.smccc(0xC400_0001L, 1, 0, 0)[0]).as("with a wake-up pending").isZero();
    }

    @Test
    void powerDownResetsToTheEntryWithTheContext() {
        GuestCalls guest = GuestCalls.start(machine, 1);
        long bell = doorbell(guest);

        assertThat(guest.callUntilExit(0xC400_0001L, 0x1_0001, TestMachine.RAM, 55))
                .startsWith(0, EXPECTS_WAKEUP, 0x1_0001, 2, 0);
        machine.call(0x12, bell, 1);
        awaitWakeup();

        guest.expectBoot(55);
    }

    private long doorbell(GuestCalls guest) {
        long bell = machine.create(0x06);
        machine.activate(bell);
        machine.call(0x10, bell, guest.guest.vic, SPI);
        guest.store(GICR + 0x14, 0);
        guest.store(GICD, 0x13);
        guest.store(GICD + 0x84, 2);
        guest.store(GICD + 0x104, 2);
        machine.hostInterrupts.clear();
        return bell;
    }

    private void awaitWakeup() {
        await().atMost(60, TimeUnit.SECONDS).until(() -> machine.hostInterrupts.remove(TestMachine.WAKEUP_VIRQ));
    }
}
