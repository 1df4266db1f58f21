package gunyah.arm64.mmu;

import static gunyah.arm64.SystemBoard.BLOCK;
import static gunyah.arm64.SystemBoard.DEVICE_PAGE;
import static gunyah.arm64.SystemBoard.NON_GLOBAL;
import static gunyah.arm64.SystemBoard.PAGE;
import static gunyah.arm64.SystemBoard.PXN;
import static gunyah.arm64.SystemBoard.RAM;
import static gunyah.arm64.SystemBoard.READ_ONLY;
import static gunyah.arm64.SystemBoard.SCTLR;
import static gunyah.arm64.SystemBoard.SCTLR_RESET;
import static gunyah.arm64.SystemBoard.TCR;
import static gunyah.arm64.SystemBoard.TCR_48;
import static gunyah.arm64.SystemBoard.TTBR0;
import static gunyah.arm64.SystemBoard.TTBR1;
import static gunyah.arm64.SystemBoard.USER;
import static gunyah.arm64.SystemBoard.UXN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gunyah.arm64.SystemBoard;
import gunyah.arm64.state.Abort;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MmuTest {
    private static final long USER_VA = 0x0000_1234_5678_9000L;
    private static final long KERNEL_VA = 0xFFFF_8000_1234_5000L;
    private static final long DATA = RAM + 0x5000;

    private final SystemBoard board = new SystemBoard();
    private final Mmu mmu = board.mmu;
    private final long root0 = board.newTable();
    private final long root1 = board.newTable();

    @AfterEach
    void close() {
        board.close();
    }

    @Test
    void addressesAreFlatWithTheMmuOff() {
        board.poke(DATA, 0x1122_3344_5566_7788L);

        assertEquals(0x1122_3344_5566_7788L, mmu.read64(DATA));
        assertEquals(0x5566_7788, mmu.read32(DATA));
        assertEquals(0x3344, mmu.read16(DATA + 4));
        assertEquals(0x88, mmu.read8(DATA));
        mmu.write8(DATA + 7, 0xAA);
        mmu.write16(DATA + 4, 0xBBCC);
        mmu.write32(DATA, 0xDEAD_BEEF);
        assertEquals(0xAA22_BBCC_DEAD_BEEFL, board.peek(DATA));
        assertEquals(board.host(DATA), mmu.hostForFetch(DATA));
    }

    @Test
    void dataIsDeviceMemoryWithTheMmuOff() {
        assertEquals(0x21, board.stage1Iss(() -> mmu.read32(DATA + 2)));
        assertEquals(0x61, board.stage1Iss(() -> mmu.write64(DATA + 4, 1)));
        mmu.read64(DATA);
        assertEquals(0x21, board.stage1Iss(() -> mmu.read64(DATA + 1)), "also when the page is in the TLB");
        assertEquals(0x61, board.stage1Iss(() -> mmu.zeroBlock(DATA)));
    }

    @Test
    void flatAddressesBeyondThePhysicalSizeAreAddressSizeFaultsOfLevel0() {
        assertEquals(0x00, board.stage1Iss(() -> mmu.read8(1L << 36)));
        assertEquals(0x40, board.stage1Iss(() -> mmu.write8(-4096, 0)));
    }

    @Test
    void pageIsReachedThroughFourLevels() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.map(root1, KERNEL_VA, DATA + 0x1000, PAGE);
        board.enable(root0, root1);
        board.poke(DATA + 8, 42);
        board.poke(DATA + 0x1FF8, 43);

        assertEquals(42, mmu.read64(USER_VA + 8));
        assertEquals(43, mmu.read64(KERNEL_VA + 0xFF8));
        assertEquals(board.host(DATA + 0x1010), mmu.hostForWrite(KERNEL_VA + 0x10, 8));
    }

    @Test
    void translationFaultNamesTheLevelOfTheMissingDescriptor() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);

        for (int level = 3; level >= 0; level--) {
            board.poke(board.descriptor(root0, USER_VA, level), 0);
            assertEquals(0x04 + level, board.stage1Iss(() -> mmu.read8(USER_VA)));
            assertEquals(0x44 + level, board.stage1Iss(() -> mmu.write8(USER_VA, 0)));
        }
        Abort fault = board.fault(() -> mmu.hostForFetch(USER_VA + 4));
        assertTrue(fault.instruction);
        assertEquals(0x04, fault.iss);
        assertEquals(USER_VA + 4, fault.far);
    }

    @Test
    void reservedDescriptorsAreTranslationFaults() {
        board.map(root0, USER_VA, DATA, BLOCK);
        board.map(root0, 0x4000_0000_0000L, DATA, BLOCK, 0);
        board.enable(root0, root1);

        assertEquals(0x07, board.stage1Iss(() -> mmu.read8(USER_VA)), "block at level 3");
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(0x4000_0000_0000L)), "block at level 0");
    }

    @Test
    void addressesOutsideTheConfiguredRangeAreTranslationFaultsOfLevel0() {
        board.enable(root0, root1);

        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(0x0001_0000_0000_0000L)));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(0xFFFE_FFFF_FFFF_F000L)));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(0xFF00_0000_0000_0000L)));
    }

    @Test
    void disabledWalksAreTranslationFaultsOfLevel0() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.map(root1, KERNEL_VA, DATA, PAGE);
        board.enable(root0, root1);
        board.registers.write(TCR, TCR_48 | 1 << 7);
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(USER_VA)));
        assertEquals(0, mmu.read8(KERNEL_VA));

        board.registers.write(TCR, TCR_48 | 1 << 23);
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(KERNEL_VA)));
        assertEquals(0, mmu.read8(USER_VA));
    }

    @Test
    void smallerAddressSpacesStartAtLaterLevels() {
        // 39 bits start at level 1, 30 bits at level 2 with a full table, 25 bits at level 2 with 16 entries
        long l1 = board.newTable();
        long l2 = board.newTable();
        long l3 = board.newTable();
        board.poke(l1 + 8, l2 | 3);
        board.poke(l2 + 24, l3 | 3);
        board.poke(l3 + 32, DATA | PAGE);
        board.poke(DATA, 77);
        board.enable(l1, root1);

        board.registers.write(TCR, TCR_48 & ~63L | 25);
        assertEquals(77, mmu.read64(0x4060_4000L));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(1L << 39)));
        board.registers.write(TCR, TCR_48 & ~63L | 34);
        board.registers.write(TTBR0, l2);
        assertEquals(77, mmu.read64(0x60_4000L));
        board.registers.write(TCR, TCR_48 & ~63L | 39);
        assertEquals(77, mmu.read64(0x60_4000L));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(1L << 25)));
    }

    @Test
    void spacesOfSixteenBitsExistWithSmallTablesOnly() {
        // sixteen entries of level 3, which end where 16 bits do; with 25 bits they are entries of level 2
        long table = board.newTable() + 0x80;
        board.poke(table + 8, DATA | PAGE);
        board.poke(DATA, 78);
        board.enable(table, table);
        board.registers.write(TCR, TCR_48 & ~(63L << 16 | 63) | 48 << 16 | 48);

        mmu.options(false, true, false);
        assertEquals(78, mmu.read64(0x1000));
        assertEquals(78, mmu.read64(-0x1_0000L + 0x1000));
        assertEquals(0x07, board.stage1Iss(() -> mmu.read8(0x2000)));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(0x1_0000)));
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(-0x1_0001L)));

        mmu.options(false, false, false);
        mmu.flushAll();
        assertEquals(0x06, board.stage1Iss(() -> mmu.read8(0x1000)));
        assertEquals(0x06, board.stage1Iss(() -> mmu.read8(0x1_0000)));
    }

    @Test
    void blocksMapTwoMegabytesAndOneGigabyte() {
        board.map(root0, 0x20_0000L, RAM + 0x20_0000, BLOCK, 2);
        board.map(root0, 0x4000_0000L, RAM, BLOCK, 1);
        board.enable(root0, root1);
        board.poke(RAM + 0x3F_F008, 7);

        assertEquals(7, mmu.read64(0x3F_F008L));
        assertEquals(7, mmu.read64(0x4000_0000L + 0x3F_F008));
    }

    @Test
    void addressesBeyondThePhysicalSizeAreFaultsOfTheirDescriptorsLevel() {
        board.map(root0, USER_VA, 1L << 36, PAGE);
        board.enable(root0, root1);
        assertEquals(0x03, board.stage1Iss(() -> mmu.read8(USER_VA)));

        board.poke(board.descriptor(root0, USER_VA, 1), 1L << 40 | 3);
        assertEquals(0x01, board.stage1Iss(() -> mmu.read8(USER_VA)));
        board.registers.write(TTBR0, 1L << 37);
        assertEquals(0x00, board.stage1Iss(() -> mmu.read8(USER_VA)));
    }

    @Test
    void clearAccessFlagIsAnAccessFlagFault() {
        board.map(root0, USER_VA, DATA, PAGE & ~(1L << 10));
        board.enable(root0, root1);

        assertEquals(0x0B, board.stage1Iss(() -> mmu.read8(USER_VA)));
    }

    @Test
    void accessPermissionsHoldAtBothLevels() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.map(root0, USER_VA + 0x1000, DATA, PAGE | USER);
        board.map(root0, USER_VA + 0x2000, DATA, PAGE | READ_ONLY);
        board.map(root0, USER_VA + 0x3000, DATA, PAGE | READ_ONLY | USER);
        board.enable(root0, root1);

        mmu.write8(USER_VA, 1);
        mmu.write8(USER_VA + 0x1000, 1);
        assertEquals(0x4F, board.stage1Iss(() -> mmu.write8(USER_VA + 0x2000, 1)));
        assertEquals(0x4F, board.stage1Iss(() -> mmu.write8(USER_VA + 0x3000, 1)));
        assertEquals(1, mmu.read8(USER_VA + 0x2000));

        board.el(0);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.read8(USER_VA)));
        mmu.write8(USER_VA + 0x1000, 2);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.read8(USER_VA + 0x2000)));
        assertEquals(2, mmu.read8(USER_VA + 0x3000));
        assertEquals(0x4F, board.stage1Iss(() -> mmu.write8(USER_VA + 0x3000, 1)));
    }

    @Test
    void tablesNarrowTheRightsBelowThem() {
        board.map(root0, USER_VA, DATA, PAGE | USER);
        board.enable(root0, root1);
        long slot = board.descriptor(root0, USER_VA, 1);
        long table = board.peek(slot);

        board.poke(slot, table | 1L << 62);
        assertEquals(0x4F, board.stage1Iss(() -> mmu.write8(USER_VA, 1)));
        board.poke(slot, table | 1L << 61);
        mmu.flushAll();
        mmu.write8(USER_VA, 1);
        board.el(0);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.read8(USER_VA)));
        board.poke(slot, table | 1L << 60);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA)), "UXNTable");
        assertEquals(1, mmu.read8(USER_VA));
        board.registers.contextChanged();
        board.el(1);
        board.registers.write(TCR, TCR_48 | 1L << 41);
        board.el(0);
        assertEquals(board.host(DATA), mmu.hostForFetch(USER_VA), "HPD0 ignores the table's bits");
    }

    @Test
    void executionObeysPxnUxnWxnAndUserWritability() {
        board.map(root0, USER_VA, DATA, PAGE | READ_ONLY | USER | PXN);
        board.map(root0, USER_VA + 0x1000, DATA, PAGE | READ_ONLY | USER | UXN);
        board.map(root0, USER_VA + 0x2000, DATA, PAGE | USER);
        board.map(root0, USER_VA + 0x3000, DATA, PAGE);
        board.enable(root0, root1);

        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA)));
        assertEquals(board.host(DATA), mmu.hostForFetch(USER_VA + 0x1000));
        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA + 0x2000)), "EL0 can write it");
        assertEquals(board.host(DATA), mmu.hostForFetch(USER_VA + 0x3000));
        board.registers.write(SCTLR, SCTLR_RESET | 1 | 1 << 19);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA + 0x3000)), "WXN");

        board.el(0);
        assertEquals(board.host(DATA), mmu.hostForFetch(USER_VA));
        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA + 0x1000)));
        assertEquals(0x0F, board.stage1Iss(() -> mmu.hostForFetch(USER_VA + 0x2000)), "WXN");
        board.el(1);
        board.registers.write(SCTLR, SCTLR_RESET | 1);
        board.el(0);
        assertEquals(board.host(DATA), mmu.hostForFetch(USER_VA + 0x2000));
    }

    @Test
    void misalignedFetchIsAPcAlignmentFault() {
        Abort fault = board.fault(() -> mmu.hostForFetch(DATA + 2));

        assertTrue(fault.pcAlignment);
        assertEquals(DATA + 2, fault.far);
        assertFalse(board.fault(() -> mmu.hostForFetch(1L << 36)).pcAlignment);
    }

    @Test
    void panKeepsEl1FromUserPagesButNotFromUnprivilegedAccesses() {
        board.map(root0, USER_VA, DATA, PAGE | USER);
        board.map(root0, USER_VA + 0x1000, DATA, PAGE);
        board.enable(root0, root1);
        mmu.write8(USER_VA, 5);

        board.pan(true);
        assertEquals(0x0F, board.stage1Iss(() -> mmu.read8(USER_VA)));
        assertEquals(0x4F, board.stage1Iss(() -> mmu.write8(USER_VA, 1)));
        assertEquals(5, mmu.readUnprivileged(USER_VA, 0));
        assertEquals(0x0F, board.stage1Iss(() -> mmu.readUnprivileged(USER_VA + 0x1000, 0)));
        mmu.writeUnprivileged(USER_VA, 0, 6);
        assertEquals(6, mmu.read8(USER_VA + 0x1000));
        board.pan(false);
        assertEquals(6, mmu.read8(USER_VA));
    }

    @Test
    void uaoGivesUnprivilegedAccessesTheRightsOfEl1() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);

        assertEquals(0x0F, board.stage1Iss(() -> mmu.readUnprivileged(USER_VA, 3)));
        board.s.uao = true;
        board.registers.contextChanged();
        assertEquals(0, mmu.readUnprivileged(USER_VA, 3));
    }

    @Test
    void switchOfTtbr0TakesEffectAtOnce() {
        long other = board.newTable();
        board.map(root0, USER_VA, DATA, PAGE | NON_GLOBAL);
        board.map(other, USER_VA, DATA + 0x1000, PAGE | NON_GLOBAL);
        board.map(root1, KERNEL_VA, DATA + 0x2000, PAGE);
        board.poke(DATA, 1);
        board.poke(DATA + 0x1000, 2);
        board.poke(DATA + 0x2000, 3);
        board.enable(root0, root1);

        assertEquals(1, mmu.read64(USER_VA));
        assertEquals(3, mmu.read64(KERNEL_VA));
        long fills = mmu.fills();
        int generation = mmu.fetchGeneration();
        board.registers.write(TTBR0, other | 7L << 48);
        assertEquals(2, mmu.read64(USER_VA));
        assertEquals(3, mmu.read64(KERNEL_VA));
        assertEquals(fills + 1, mmu.fills(), "the kernel's entry survives");
        assertNotEquals(generation, mmu.fetchGeneration());
    }

    @Test
    void changeOfAsidDropsNonGlobalEntriesOnly() {
        board.map(root0, USER_VA, DATA, PAGE | NON_GLOBAL);
        board.map(root1, KERNEL_VA, DATA, PAGE);
        board.enable(root0, root1);
        board.registers.write(TCR, TCR_48 | 1 << 22);
        mmu.read8(USER_VA);
        mmu.read8(KERNEL_VA);
        long fills = mmu.fills();

        board.registers.write(TTBR1, root1 | 9L << 48);
        mmu.read8(KERNEL_VA);
        assertEquals(fills, mmu.fills());
        mmu.read8(USER_VA);
        assertEquals(fills + 1, mmu.fills());

        board.poke(board.descriptor(root1, KERNEL_VA, 3), DATA | PAGE | NON_GLOBAL);
        mmu.flushAll();
        mmu.read8(KERNEL_VA);
        board.registers.write(TTBR1, root1 | 10L << 48);
        fills = mmu.fills();
        mmu.read8(KERNEL_VA);
        assertEquals(fills + 1, mmu.fills());
    }

    @Test
    void staleTranslationLivesUntilItsPageIsInvalidated() {
        board.map(root1, KERNEL_VA, DATA, PAGE);
        board.map(root1, KERNEL_VA + 0x1000, DATA, PAGE);
        board.poke(DATA, 1);
        board.poke(DATA + 0x1000, 2);
        board.enable(root0, root1);
        mmu.read64(KERNEL_VA);
        board.poke(board.descriptor(root1, KERNEL_VA, 3), DATA + 0x1000 | PAGE);

        mmu.invalidate(Mmu.TLBI_VA_ALL_ASID, KERNEL_VA + 0x1000 << 8 >>> 20);
        assertEquals(1, mmu.read64(KERNEL_VA));
        mmu.invalidate(Mmu.TLBI_VA_ALL_ASID, KERNEL_VA << 8 >>> 20);
        assertEquals(2, mmu.read64(KERNEL_VA));
    }

    @Test
    void invalidationOfAnyPageOfABlockDropsTheWholeBlock() {
        for (int level = 1; level <= 2; level++) {
            long va = 0x0000_0080_4020_0000L + ((long) level << 39);
            board.map(root0, va, RAM, BLOCK, level);
            board.enable(root0, root1);
            mmu.read8(va + 0x1000);
            mmu.read8(va + 0x4000);
            board.poke(board.descriptor(root0, va, level), 0);

            assertEquals(0, mmu.read8(va + 0x4000));
            mmu.invalidate(Mmu.TLBI_VA, va + 0x1F_0000 >>> 12);
            int missingLevel = level;
            assertEquals(4 + missingLevel, board.stage1Iss(() -> mmu.read8(va + 0x4000)));
            assertEquals(4 + missingLevel, board.stage1Iss(() -> mmu.read8(va + 0x1000)));
        }
    }

    @Test
    void invalidationByAsidLooksAtTheOperandsAsid() {
        board.map(root0, USER_VA, DATA, PAGE | NON_GLOBAL);
        board.enable(root0 | 5L << 48, root1);
        mmu.read8(USER_VA);
        board.poke(board.descriptor(root0, USER_VA, 3), 0);

        mmu.invalidate(Mmu.TLBI_ASID, 6L << 48);
        assertEquals(0, mmu.read8(USER_VA));
        mmu.invalidate(Mmu.TLBI_ASID, 5L << 48);
        assertEquals(0x07, board.stage1Iss(() -> mmu.read8(USER_VA)));
    }

    @Test
    void tcrSaysWhetherAnAsidHasEightOrSixteenBits() {
        board.map(root0, USER_VA, DATA, PAGE | NON_GLOBAL);
        for (boolean wide : new boolean[] {false, true}) {
            board.enable(root0 | 0x105L << 48, root1);
            board.registers.write(TCR, TCR_48 & ~(1L << 36) | (wide ? 1L << 36 : 0));
            mmu.flushAll();
            mmu.read8(USER_VA);
            long fills = mmu.fills();
            mmu.invalidate(Mmu.TLBI_ASID, 0x205L << 48);
            mmu.read8(USER_VA);
            assertEquals(fills + (wide ? 0 : 1), mmu.fills());
        }
    }

    @Test
    void accessAcrossTwoPagesUsesBothTranslations() {
        board.map(root0, USER_VA, DATA + 0x3000, PAGE);
        board.map(root0, USER_VA + 0x1000, DATA, PAGE);
        board.enable(root0, root1);

        for (int size = 1; size < 8; size++) {
            long va = USER_VA + 0x1000 - size;
            mmu.write64(va, 0x0807_0605_0403_0201L);
            assertEquals(0x0807_0605_0403_0201L, mmu.read64(va));
            assertEquals(0x0201, mmu.read16(va));
            assertEquals(0x0403_0201, mmu.read32(va));
            assertEquals(1 + size, mmu.read8(USER_VA + 0x1000));
        }
        assertEquals(0x08, mmu.read8(USER_VA + 0x1000));
    }

    @Test
    void faultOfTheSecondPageLeavesTheFirstUnwritten() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.map(root0, USER_VA + 0x1000, DATA + 0x1000, PAGE | READ_ONLY);
        board.enable(root0, root1);

        Abort fault = board.fault(() -> mmu.write64(USER_VA + 0xFFC, -1));

        assertEquals(USER_VA + 0x1000, fault.far);
        assertEquals(0x4F, fault.iss);
        assertEquals(0, board.peek(DATA + 0xFF8));
    }

    @Test
    void missingStage2PageIsAStage2FaultWithTheFullIpa() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.stage2.set(DATA, 0);
        board.enable(root0, root1);

        Abort fault = board.fault(() -> mmu.write32(USER_VA + 0x124, 1));

        assertTrue(fault.stage2);
        assertFalse(fault.walk);
        assertFalse(fault.mapped);
        assertEquals(DATA + 0x124, fault.ipa);
        assertEquals(USER_VA + 0x124, fault.far);
        assertEquals(Access.W, fault.access);
    }

    @Test
    void missingStage2RightIsAStage2PermissionFault() {
        board.stage2.set(DATA, Stage2Table.entry(SystemBoard.pa(DATA), Access.R, Access.NONE, 15));
        mmu.read8(DATA);

        Abort fault = board.fault(() -> mmu.write8(DATA, 1));
        assertTrue(fault.stage2 && fault.mapped);
        assertEquals(Access.W, fault.access);
        assertEquals(Access.X, board.fault(() -> mmu.hostForFetch(DATA)).access);
        board.el(0);
        assertEquals(Access.R, board.fault(() -> mmu.read8(DATA)).access);
    }

    @Test
    void stage2SaysForEachExceptionLevelWhetherItMayExecute() {
        board.stage2.set(DATA, Stage2Table.entry(SystemBoard.pa(DATA), Access.RX, Access.R, 15));
        board.stage2.set(DATA + 0x1000, Stage2Table.entry(SystemBoard.pa(DATA + 0x1000), Access.R, Access.RX, 15));

        mmu.hostForFetch(DATA);
        assertTrue(board.fault(() -> mmu.hostForFetch(DATA + 0x1000)).mapped);
        board.el(0);
        assertTrue(board.fault(() -> mmu.hostForFetch(DATA)).mapped);
        mmu.hostForFetch(DATA + 0x1000);
    }

    @Test
    void hardwareWritesADescriptorOnlyIfStage2Lets() {
        board.map(root0, USER_VA, DATA, PAGE & ~(1L << 10), 3);
        long slot = board.descriptor(root0, USER_VA, 3);
        board.enable(root0, root1);
        board.registers.write(TCR, TCR_48 | 1L << 39);
        board.stage2.set(slot & -4096, Stage2Table.entry(SystemBoard.pa(slot & -4096), Access.R, Access.R, 15));

        Abort fault = board.fault(() -> mmu.read8(USER_VA));

        assertTrue(fault.stage2 && fault.walk && fault.mapped);
        assertEquals(slot, fault.ipa);
        assertEquals(Access.W, fault.access);
        assertEquals(0, board.peek(slot) & 1 << 10);
        assertEquals(Mmu.STAGE2_PERMISSION, mmu.translateForOwner(USER_VA, Access.R));

        board.stage2.set(slot & -4096, Stage2Table.entry(SystemBoard.pa(slot & -4096), Access.RWX, Access.RWX, 15));
        assertEquals(board.host(DATA), mmu.translateForOwner(USER_VA, Access.R));
        assertEquals(1 << 10, board.peek(slot) & 1 << 10);
    }

    @Test
    void anInstructionCanBeReadWithoutATrace() {
        board.map(root0, USER_VA, DATA, PAGE & ~(1L << 10), 3);
        long slot = board.descriptor(root0, USER_VA, 3);
        board.poke(DATA, 0xD503_201FL);
        board.enable(root0, root1);
        assertTrue(mmu.peekInstruction(USER_VA).isEmpty(), "no access flag");

        board.registers.write(TCR, TCR_48 | 1L << 39);

        assertEquals(0xD503_201F, mmu.peekInstruction(USER_VA).getAsInt());
        assertEquals(0, board.peek(slot) & 1 << 10);
        assertTrue(mmu.peekInstruction(USER_VA + 2).isEmpty());
        assertTrue(mmu.peekInstruction(KERNEL_VA).isEmpty());
        board.stage2.set(DATA, 0);
        assertTrue(mmu.peekInstruction(USER_VA).isEmpty());
    }

    @Test
    void theOwnersWriteMakesAPageDirty() {
        board.map(root0, USER_VA, DATA, PAGE | READ_ONLY | 1L << 51, 3);
        long slot = board.descriptor(root0, USER_VA, 3);
        board.enable(root0, root1);
        assertEquals(Mmu.STAGE1_FAULT, mmu.translateForOwner(USER_VA, Access.RW));

        board.registers.write(TCR, TCR_48 | 3L << 39);

        assertEquals(board.host(DATA), mmu.translateForOwner(USER_VA, Access.R));
        assertEquals(READ_ONLY, board.peek(slot) & READ_ONLY);
        assertEquals(board.host(DATA), mmu.translateForOwner(USER_VA, Access.RW));
        assertEquals(0, board.peek(slot) & READ_ONLY);
    }

    @Test
    void stage2FaultOfTheWalkNamesTheDescriptor() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);
        long slot = board.descriptor(root0, USER_VA, 2);
        board.stage2.set(slot, 0);

        Abort fault = board.fault(() -> mmu.write8(USER_VA, 1));

        assertTrue(fault.stage2 && fault.walk);
        assertEquals(slot, fault.ipa);
        assertEquals(USER_VA, fault.far);
        assertEquals(Access.R, fault.access);
    }

    @Test
    void stage2EpochDropsWhatStage2Lost() {
        mmu.read8(DATA);
        board.stage2.set(DATA, 0);
        board.stage2.bumpEpoch();
        int generation = mmu.fetchGeneration();

        mmu.synchronizeStage2();

        assertTrue(board.fault(() -> mmu.read8(DATA)).stage2);
        assertNotEquals(generation, mmu.fetchGeneration());
        generation = mmu.fetchGeneration();
        mmu.synchronizeStage2();
        assertEquals(generation, mmu.fetchGeneration());
    }

    @Test
    void topByteIsIgnoredWhereTcrSaysSo() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);
        long tagged = USER_VA | 0xAB00_0000_0000_0000L;
        assertEquals(0x04, board.stage1Iss(() -> mmu.read8(tagged)));

        board.registers.write(TCR, TCR_48 | 1L << 37);
        mmu.write8(tagged, 9);
        assertEquals(9, mmu.read8(USER_VA));
        assertEquals(USER_VA, mmu.branchAddress(tagged));
        mmu.read8(tagged);
        board.poke(board.descriptor(root0, USER_VA, 3), 0);
        mmu.invalidate(Mmu.TLBI_VA, USER_VA >>> 12);
        assertEquals(0x07, board.stage1Iss(() -> mmu.read8(tagged)));
    }

    @Test
    void alignmentIsCheckedForDeviceMemoryAndWhenSctlrAsks() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.map(root0, USER_VA + 0x1000, DATA, DEVICE_PAGE);
        board.enable(root0, root1);

        mmu.write32(USER_VA + 1, 5);
        assertEquals(5, mmu.read32(USER_VA + 1));
        assertEquals(0x21, board.stage1Iss(() -> mmu.read32(USER_VA + 0x1001)));
        board.registers.write(SCTLR, SCTLR_RESET | 3);
        assertEquals(0x21, board.stage1Iss(() -> mmu.read32(USER_VA + 1)));
        assertEquals(0x21, board.stage1Iss(() -> mmu.read64(USER_VA - 4)), "before the missing page");
        assertEquals(0x61, board.stage1Iss(() -> mmu.write16(USER_VA + 1, 5)));
        mmu.zeroBlock(USER_VA + 3);
        assertEquals(0, mmu.read32(USER_VA));
    }

    @Test
    void zeroBlockClearsSixtyFourBytes() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);
        for (int i = 0; i < 256; i += 8) {
            board.poke(DATA + i, -1);
        }

        mmu.zeroBlock(USER_VA + 100);

        assertEquals(-1, board.peek(DATA + 56));
        for (int i = 64; i < 128; i += 8) {
            assertEquals(0, board.peek(DATA + i));
        }
        assertEquals(-1, board.peek(DATA + 128));
        Abort fault = board.fault(() -> mmu.zeroBlock(USER_VA + 0x1064));
        assertEquals(USER_VA + 0x1064, fault.far);
        assertEquals(0x47, fault.iss);
    }

    @Test
    void zeroingCodeIsReported() {
        List<String> reports = new ArrayList<>();
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);
        mmu.watchCode(new CodePageOracle() {
            @Override
            public boolean isCodePage(long hostPage) {
                return hostPage == board.host(DATA);
            }

            @Override
            public void codeWritten(long hostPage, long offset, int size) {
                reports.add("%x+%d".formatted(offset, size));
            }
        });

        mmu.zeroBlock(USER_VA + 0x80);
        mmu.zeroBlock(USER_VA + 0xc0);

        assertEquals(List.of("80+64", "c0+64"), reports);
    }

    @Test
    void aPageThatIsZeroedIsTranslatedOnce() {
        board.map(root0, USER_VA, DATA, PAGE);
        board.enable(root0, root1);
        long before = mmu.misses();

        for (int at = 0; at < 0x1000; at += 64) {
            mmu.zeroBlock(USER_VA + at);
        }

        assertEquals(before + 1, mmu.misses());
    }

    @Test
    void cacheMaintenanceFaultsCarryCm() {
        board.map(root0, USER_VA, DATA, PAGE | READ_ONLY | USER);
        board.enable(root0, root1);
        board.pan(true);

        assertEquals(board.host(DATA + 4), mmu.hostForMaintenance(USER_VA + 4, false));
        assertEquals(0x14F, board.stage1Iss(() -> mmu.hostForMaintenance(USER_VA, true)));
        assertEquals(0x147, board.stage1Iss(() -> mmu.hostForMaintenance(USER_VA + 0x1000, false)));
        assertEquals(0x07, board.stage1Iss(() -> mmu.read8(USER_VA + 0x1000)));
    }

    @Test
    void storesToCodePagesAreReported() {
        List<String> reports = new ArrayList<>();
        long[] codePage = {board.host(DATA)};
        mmu.watchCode(new CodePageOracle() {
            @Override
            public boolean isCodePage(long hostPage) {
                return hostPage == codePage[0];
            }

            @Override
            public void codeWritten(long hostPage, long offset, int size) {
                reports.add("%x+%d".formatted(offset, size));
            }
        });

        mmu.write32(DATA + 0x10, 1);
        mmu.hostForWrite(DATA + 0x20, 8);
        mmu.write8(DATA + 0x1000, 1);
        assertEquals(List.of("10+4", "20+8"), reports);
        codePage[0] = 0;
        mmu.write32(DATA + 0x10, 1);
        mmu.write32(DATA + 0x10, 2);
        assertEquals(2, reports.size());
        codePage[0] = board.host(DATA);
        mmu.dropWriteEntries(codePage[0]);
        mmu.write64(DATA + 8, 1);
        mmu.translateForOwner(DATA, Access.W);
        assertEquals(List.of("10+4", "20+8", "8+8", "0+4096"), reports);
    }

    @Test
    void ownersTranslationRaisesNothing() {
        board.map(root1, KERNEL_VA, DATA, PAGE | READ_ONLY);
        board.map(root1, KERNEL_VA + 0x1000, DATA + 0x1000, PAGE);
        board.map(root1, KERNEL_VA + 0x2000, DATA + 0x2000, PAGE);
        board.stage2.set(DATA + 0x1000, 0);
        board.stage2.set(DATA + 0x2000, Stage2Table.entry(SystemBoard.pa(DATA + 0x2000), Access.R, Access.R, 15));
        board.enable(root0, root1);
        board.el(0);

        assertEquals(board.host(DATA + 5), mmu.translateForOwner(KERNEL_VA + 5, Access.R));
        assertEquals(Mmu.STAGE1_FAULT, mmu.translateForOwner(KERNEL_VA, Access.W));
        assertEquals(Mmu.STAGE1_FAULT, mmu.translateForOwner(USER_VA, Access.R));
        assertEquals(Mmu.STAGE2_UNMAPPED, mmu.translateForOwner(KERNEL_VA + 0x1000, Access.R));
        assertEquals(Mmu.STAGE2_PERMISSION, mmu.translateForOwner(KERNEL_VA + 0x2000, Access.RW));
    }

    @Test
    void addressTranslationReportsAddressAttributesOrStatus() {
        board.map(root0, USER_VA, DATA, PAGE | USER | READ_ONLY);
        board.enable(root0, root1);
        board.stage2.set(DATA, 0);

        assertEquals(0xFF00_0000_0000_0980L | DATA, mmu.translateStage1(USER_VA + 0x123, true, false, false));
        assertEquals(0x800 | 0xF << 1 | 1, mmu.translateStage1(USER_VA, true, true, false));
        assertEquals(0x800 | 0xF << 1 | 1, mmu.translateStage1(USER_VA, false, false, true));
        assertEquals(0x800 | 0x7 << 1 | 1, mmu.translateStage1(USER_VA + 0x1000, false, false, false));
    }
}
