package gunyah.arm64.mmu;

import static gunyah.arm64.SystemBoard.NON_GLOBAL;
import static gunyah.arm64.SystemBoard.PAGE;
import static gunyah.arm64.SystemBoard.RAM;
import static gunyah.arm64.SystemBoard.READ_ONLY;
import static gunyah.arm64.SystemBoard.TTBR0;
import static gunyah.arm64.SystemBoard.USER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import gunyah.arm64.SystemBoard;
import gunyah.arm64.state.Abort;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A TLB that is told of every change must answer like a walk that has no TLB. */
class TlbConsistencyTest {
    private static final long SEED = Long.getLong("gunyah.test.seed", 20_240_501L);
    private static final long LOW = 0x0000_0040_0000_0000L;
    private static final long HIGH = 0xFFFF_8000_0000_0000L;
    private static final int PAGES = 24;

    @Test
    void neighbouringPagesNeverShareAnEntry() {
        Random random = new Random(SEED);
        for (int i = 0; i < 100_000; i++) {
            // -1 >>> n: every length of a run of ones, over which adding a page carries
            long va = i < 64 ? -1L >>> i : random.nextLong();
            assertNotEquals(Tlb.index(va), Tlb.index(va + 4096), () -> Long.toHexString(va));
        }
    }

    @Test
    void cachedTranslationsAgreeWithFreshWalks() {
        Random random = new Random(SEED);
        try (SystemBoard board = new SystemBoard()) {
            long[] roots = {board.newTable(), board.newTable()};
            long high = board.newTable();
            for (long va = 0; va < 3 << 21; va += 1 << 21) {
                board.map(roots[0], LOW + va, 0, 0);
                board.map(roots[1], LOW + va, 0, 0);
                board.map(high, HIGH + va, 0, 0);
            }
            int current = 0;
            board.enable(ttbr0(roots, 0), high);
            for (int step = 0; step < 15_000; step++) {
                long va = va(random);
                switch (random.nextInt(16)) {
                    case 0, 1 -> {
                        long root = va < 0 ? high : roots[current];
                        if (remap(board, root, va, random)) {
                            board.mmu.invalidate(random.nextBoolean() ? Mmu.TLBI_VA : Mmu.TLBI_VA_ALL_ASID,
                                    va >>> 12 & (1L << 44) - 1);
                        } else {
                            board.mmu.invalidate(Mmu.TLBI_ALL, 0);
                        }
                    }
                    case 2 -> {
                        if (random.nextInt(32) == 0) {
                            current ^= 1;
                            board.el(1);
                            board.registers.write(TTBR0, ttbr0(roots, current));
                        }
                    }
                    case 3 -> {
                        board.el(random.nextInt(2));
                        board.pan(random.nextBoolean());
                    }
                    case 4 -> {
                        if (random.nextInt(32) != 0) {
                            continue;
                        }
                        long ipa = RAM + (random.nextInt(64) << 12);
                        int rights = random.nextInt(8);
                        board.stage2.set(ipa, rights == 0 ? 0
                                : Stage2Table.entry(SystemBoard.pa(ipa), rights | Access.R, rights, 15));
                        board.stage2.bumpEpoch();
                        board.mmu.synchronizeStage2();
                    }
                    default -> compare(board, ttbr0(roots, current), high, va, random.nextInt(3), step);
                }
            }
        }
    }

    private static long ttbr0(long[] roots, int process) {
        return roots[process] | process + 1L << 48;
    }

    private static long va(Random random) {
        return (random.nextBoolean() ? LOW : HIGH) + ((long) random.nextInt(3) << 21)
                + ((long) random.nextInt(PAGES) << 12) + random.nextInt(512) * 8;
    }

    /** Changes what {@code va} maps to. {@return whether one invalidation by VA is enough} */
    private static boolean remap(SystemBoard board, long root, long va, Random random) {
        long attributes = (random.nextInt(8) == 0 ? 0 : PAGE) | random.nextInt(2) * USER
                | random.nextInt(2) * READ_ONLY | random.nextInt(2) * NON_GLOBAL;
        long parent = board.descriptor(root, va, 2);
        long before = board.peek(parent);
        if (random.nextInt(16) == 0) {
            board.map(root, va, RAM + random.nextInt(2) * (2 << 20), attributes & ~2L, 2);
            return (before & 3) != 3;
        }
        if ((before & 3) != 3) {
            board.poke(parent, 0);
        }
        board.map(root, va, RAM + (random.nextInt(64) << 12), attributes);
        return true;
    }

    private static void compare(SystemBoard board, long ttbr0, long ttbr1, long va, int kind, int step) {
        Mmu fresh = new Mmu(board.s, board.stage2, board.memory, new Abort());
        fresh.writeSctlr(SystemBoard.SCTLR_RESET | 1);
        fresh.writeMair(0xFF00);
        fresh.writeTcr(SystemBoard.TCR_48);
        fresh.writeTtbr0(ttbr0);
        fresh.writeTtbr1(ttbr1);
        fresh.contextChanged();
        assertEquals(outcome(fresh, va, kind), outcome(board.mmu, va, kind),
                () -> "seed %d step %d va 0x%x kind %d".formatted(SEED, step, va, kind));
    }

    private static String outcome(Mmu mmu, long va, int kind) {
        try {
            long host = switch (kind) {
                case 0 -> mmu.hostForRead(va, 8);
                case 1 -> mmu.hostForWrite(va, 8);
                default -> mmu.hostForFetch(va);
            };
            return "0x%x".formatted(host);
        } catch (Abort fault) {
            return "stage2 %s iss 0x%x ipa 0x%x".formatted(fault.stage2, fault.iss, fault.stage2 ? fault.ipa : 0);
        }
    }
}
