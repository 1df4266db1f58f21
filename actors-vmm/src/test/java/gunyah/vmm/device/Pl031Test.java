package gunyah.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The clock and its match interrupt. */
class Pl031Test {
    private Instant now = Instant.ofEpochSecond(1_700_000_000L);
    private int raised;
    private int changes;
    private final Pl031 rtc = new Pl031(() -> now, () -> raised++, () -> changes++);

    @Test
    void showsSecondsSince1970AndItsIdentity() {
        assertThat(rtc.read(0x00, 4)).isEqualTo(1_700_000_000L);
        assertThat(rtc.read(0xfe0, 4)).isEqualTo(0x31);
        assertThat(rtc.read(0x0c, 4)).isEqualTo(1);
    }

    @Test
    void canBeSet() {
        rtc.write(0x08, 4, 1000);
        now = now.plusSeconds(5);

        assertThat(rtc.read(0x00, 4)).isEqualTo(1005);
    }

    @Test
    void theMatchInterruptComesAtItsTimeAndOnce() {
        rtc.write(0x04, 4, 1_700_000_010L);
        rtc.write(0x10, 4, 1);
        assertThat(rtc.alarm()).isEqualTo(10);
        rtc.tick();
        assertThat(raised).isZero();

        now = now.plusSeconds(10);
        rtc.tick();
        rtc.tick();

        assertThat(raised).isEqualTo(1);
        assertThat(rtc.read(0x18, 4)).isEqualTo(1);
        rtc.write(0x1c, 4, 1);
        assertThat(rtc.read(0x14, 4)).isZero();
        assertThat(changes).isEqualTo(3);
    }
}
