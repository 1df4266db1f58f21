package gunyah.arm64.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TlbTest {
    private static final int PAGES = 12;
    private static final int BLOCKS_OF_2_MIB = 21;
    private static final int READ_ONLY = 4;
    private static final long HOST = 0x7000_0000L;
    /** A block of 2 MiB, and another that shares its bit: number 1 and number 1024. */
    private static final long BLOCK = 1L << 21;
    private static final long TWIN = 1024L << 21;

    private final Tlb tlb = new Tlb();

    @Test
    void aPageOfABlockTakesTheWholeBlockAlong() {
        fillOfBlock(BLOCK);
        fillOfBlock(BLOCK + 0x5000);

        tlb.flushPage(BLOCK + 0x3000, PAGES);

        assertThat(isCached(BLOCK)).isFalse();
        assertThat(isCached(BLOCK + 0x5000)).isFalse();
    }

    @Test
    void twoBlocksThatShareABitAreBothDroppedWhole() {
        fillOfBlock(BLOCK);
        fillOfBlock(TWIN);

        tlb.flushPage(BLOCK + 0x3000, PAGES);
        assertThat(isCached(BLOCK)).isFalse();
        assertThat(isCached(TWIN)).isTrue();

        tlb.flushPage(TWIN + 0x3000, PAGES);
        assertThat(isCached(TWIN)).isFalse();
    }

    @Test
    void whatIsNotedIsForgottenWithAllEntries() {
        fillOfBlock(BLOCK);
        tlb.flushAll();
        fillOfBlock(TWIN);

        tlb.flushPage(TWIN + 0x3000, PAGES);

        assertThat(isCached(TWIN)).isFalse();
    }

    @Test
    void aPageBesideABlockOfTheSameBitIsDroppedAlone() {
        fillOfBlock(BLOCK);
        fill(TWIN);
        fill(TWIN + 0x5000);

        tlb.flushPage(TWIN, PAGES);

        assertThat(isCached(TWIN)).isFalse();
        assertThat(isCached(TWIN + 0x5000)).isTrue();
        assertThat(isCached(BLOCK)).isTrue();
    }

    @Test
    void anEntryLetsThroughWhatItsRightsSayAndKeepsItsFlags() {
        for (int rights = 0; rights < 8; rights++) {
            tlb.insert(tlb.el1, BLOCK, rights, Tlb.ALIGNED, Tlb.CODE, Tlb.GUARDED, HOST);

            assertThat(field(Tlb.READ)).isEqualTo((rights & 4) != 0 ? BLOCK | Tlb.ALIGNED : Tlb.INVALID);
            assertThat(field(Tlb.WRITE)).isEqualTo((rights & 2) != 0 ? BLOCK | Tlb.ALIGNED | Tlb.CODE : Tlb.INVALID);
            assertThat(field(Tlb.EXEC)).isEqualTo((rights & 1) != 0 ? BLOCK | Tlb.GUARDED : Tlb.INVALID);
            assertThat(field(Tlb.ADDEND)).isEqualTo(HOST - BLOCK);
        }
    }

    /** The list of what was filled has 2,048 places. */
    @Test
    void aHalfIsDroppedWholeHoweverMuchWasFilled() {
        for (int pages : new int[] {1, 2047, 2048, 2049, 5000}) {
            tlb.clear();
            fill(-BLOCK);
            for (long page = 1; page <= pages; page++) {
                fill(page << 12);
            }
            assertThat(isCached((long) pages << 12)).isTrue();

            tlb.flushHalf(0);

            for (long page = 1; page <= pages; page++) {
                assertThat(isCached(page << 12)).as("page %d of %d", page, pages).isFalse();
            }
        }
        tlb.clear();
        fill(-BLOCK);
        fill(1 << 12);
        tlb.flushHalf(0);
        assertThat(isCached(-BLOCK)).as("the other half").isTrue();
    }

    private long field(int field) {
        return Tlb.get(tlb.el1, Tlb.index(BLOCK) + field);
    }

    private void fillOfBlock(long va) {
        fill(va);
        tlb.noteBlock(va, BLOCKS_OF_2_MIB);
    }

    private void fill(long va) {
        tlb.insert(tlb.el1, va, READ_ONLY, 0, 0, 0, HOST);
    }

    private boolean isCached(long va) {
        return Tlb.get(tlb.el1, Tlb.index(va) + Tlb.READ) == (va & Tlb.PAGE);
    }
}
