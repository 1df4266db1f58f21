package gunyah.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemoryTest {
    @Test
    void aDiscardedPageReadsAsZero() {
        try (PhysicalMemory memory = new PhysicalMemory(1L << 36)) {
            long address = memory.hostAddress(0x4000_0000L);
            RawMemory.RAW.putLong(address + 8, 0x1122_3344_5566_7788L);
            assertThat(RawMemory.RAW.getByte(address + 8)).isEqualTo((byte) 0x88);
            memory.discard(0x4000_0000L, 4096);
            assertThat(RawMemory.RAW.getLong(address + 8)).isZero();
        }
    }

    @Test
    void stage2LooksUpWhatWasSet() {
        Stage2Table table = new Stage2Table();
        table.set(0x8_0000_0000L, Stage2Table.entry(0x4000_1000L, Access.RWX, Access.RX, 15));
        long entry = table.lookup(0x8_0000_0fffL);
        assertThat(Stage2Table.pa(entry)).isEqualTo(0x4000_1000L);
        assertThat(Stage2Table.el1Access(entry)).isEqualTo(Access.RWX);
        assertThat(Stage2Table.el0Access(entry)).isEqualTo(Access.RX);
        assertThat(Stage2Table.memType(entry)).isEqualTo(15);
        assertThat(table.lookup(0x8_0000_1000L)).isZero();
        assertThat(table.lookup(1L << 36)).isZero();
    }

    @Test
    void skippingStopsAtTheFirstLeafOrTheEnd() {
        Stage2Table table = new Stage2Table();
        assertThat(table.skipUnmapped(0x1000, 1L << 36)).isEqualTo(1L << 36);
        table.set(0x4100_5000L, Stage2Table.entry(0x1000, Access.R, 0, 15));
        assertThat(table.skipUnmapped(0x1000, 1L << 36)).isEqualTo(0x4100_0000L);
        assertThat(table.skipUnmapped(0x4100_3000L, 1L << 36)).isEqualTo(0x4100_3000L);
        assertThat(table.skipUnmapped(0x1000, 0x2000)).isEqualTo(0x2000);
    }
}
