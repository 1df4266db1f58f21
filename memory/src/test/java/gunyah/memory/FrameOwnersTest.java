package gunyah.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FrameOwnersTest {
    @Test
    void runLengthFindsWhereOwnershipBeginsAndEnds() {
        FrameOwners owners = new FrameOwners(1 << 18, 1);
        long chunk = 1L << 27;
        assertThat(owners.runLength(1, 0, 1L << 30)).isEqualTo(1L << 30);
        assertThat(owners.runLength(2, 0, 1L << 30)).isEqualTo(-(1L << 30));
        owners.move(chunk + 0x1000, 0x3000, 1, 2);
        assertThat(owners.runLength(1, 0x5000, 1L << 29)).isEqualTo(chunk + 0x1000 - 0x5000);
        assertThat(owners.runLength(2, 0, 1L << 29)).isEqualTo(-(chunk + 0x1000));
        assertThat(owners.runLength(2, chunk + 0x2000, 1L << 29)).isEqualTo(0x2000);
        assertThat(owners.runLength(2, chunk + 0x4000, 3 * chunk)).isEqualTo(-3 * chunk);
        assertThat(owners.runLength(1, (1L << 30) - 0x2000, 0x5000)).isEqualTo(0x2000);
        assertThat(owners.runLength(1, 1L << 30, 0x5000)).isEqualTo(-0x5000);
    }
}
