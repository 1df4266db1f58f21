package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Guests of a few instructions on the real engine, through every layer of the hypervisor. */
@Tag("guest")
class HypervisorTest {
    private static final int HVC_0 = 0xD400_0002;
    private static final int WFI = 0xD503_207F;
    private static final int BRANCH_SELF = 0x1400_0000;
    private static final long VMMIO_READ = 4;
    private static final long VMMIO_WRITE = 5;

    private TestMachine machine;

    @BeforeEach
    void start() {
        machine = new TestMachine();
    }

    @AfterEach
    void stop() {
        if (machine != null) {
            machine.close();
        }
    }

    @Test
    void theHostVcpuBootsWithItsEntryAndContext() {
        assertThat(machine.host.entry()).isEqualTo(0x4100_0000L);
        assertThat(machine.host.x0()).isEqualTo(0x40F0_0000L);
    }

    @Test
    void aGuestAsksForTheSmcccVersionAndShowsItToTheHost() {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1,
                0x52B0_0000, // movz w0, #0x8000, lsl #16
                HVC_0,
                0xD2A1_2001, // movz x1, #0x900, lsl #16
                0xB900_0020, // str w0, [x1]
                0x7940_0822, // ldrh w2, [x1, #4]
                0xB900_0022, // str w2, [x1]
                WFI, BRANCH_SELF);
        guest.powerOn();

        long[] write = guest.run();
        assertThat(write).startsWith(0, VMMIO_WRITE, 0x0900_0000L, 4, 0x1_0003);

        long[] read = guest.run(0, 0, 0);
        assertThat(read).startsWith(0, VMMIO_READ, 0x0900_0004L, 2);

        long[] second = guest.run(0xBEEF, 0, 0);
        assertThat(second).startsWith(0, VMMIO_WRITE, 0x0900_0000L, 4, 0xBEEF);

        long[] idle = guest.run(0, 0, 0);
        assertThat(idle).startsWith(0, 1, 0, 1, 0);
    }
}
