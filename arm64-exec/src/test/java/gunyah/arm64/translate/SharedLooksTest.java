package gunyah.arm64.translate;

import static gunyah.memory.RawMemory.RAW;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import org.junit.jupiter.api.Test;

/** Accesses that share a look into the TLB do what they do alone, where pages and RAM end, too. */
class SharedLooksTest {
    private static final long CODE = 0x10_000;
    private static final int RAM = 1 << 20;
    /** Ends of pages: in the middle of memory, and where nothing follows. */
    private static final long[] ENDS = {0x8_0000, RAM};
    private static final long TO = 0x6_0000;
    private static final int ROUNDS = 40;
    private static final int HVC = 0xD400_0002;
    /** ldr x5, [x1], #8; str x5, [x3], #8; subs x2, x2, #1; b.ne back. */
    private static final int[] WORDS = {0xF840_8425, 0xF800_8465, 0xF100_0442, 0x54FF_FFA1, HVC};
    /**
     * ldp x5, x6, [x1]; ldrsh w7, [x1, #22]; stp w5, w7, [x3, #-8]!; strb w6, [x3, #3]; add x1, x1, #24;
     * sub x3, x3, #9; subs x2, x2, #1; b.ne back.
     */
    private static final int[] MIXED = {0xA940_1825, 0x79C0_2C27, 0x29BF_1C65, 0x3900_0C66, 0x9100_6021, 0xD100_2463,
        0xF100_0442, 0x54FF_FF21, HVC};
    /**
     * ldp q0, q1, [x1], #32; ldur d2, [x1, #-16]; str q1, [x3], #16; ldr x1, [x4]; stur d2, [x3, #-8];
     * ldrb w6, [x1, #1]!; subs x2, x2, #1; b.ne back.
     */
    private static final int[] VECTORS = {0xACC1_0420, 0xFC5F_0022, 0x3C81_0461, 0xF940_0081, 0xFC1F_8062, 0x3840_1C26,
        0xF100_0442, 0x54FF_FF21, HVC};
    /**
     * ldr x5, [x1, x6]; ldr w7, [x1, x8, lsl #2]; str x5, [x3, x6]; ldr q0, [x1, x6]; add x6, x6, #8;
     * str s0, [x3, x6, lsl #2]; add x8, x8, #2; ldrh w9, [x1, w8, uxtw #1]; strb w9, [x3, x8]; subs x2, x2, #1; b.ne back.
     */
    private static final int[] INDEXED = {0xF866_6825, 0xB868_7827, 0xF826_6865, 0x3CE6_6820, 0x9100_20C6, 0xBC26_7860,
        0x9100_0908, 0x7868_5829, 0x3828_6869, 0xF100_0442, 0x54FF_FEC1, HVC};
    /**
     * add x10, x1, x6, lsl #1; add x6, x6, #4; ldr x5, [x10, #8]; mov x11, x3; str x5, [x11, x6]; adds x10, x10, #8;
     * ldurh w7, [x10, #-2]; add x11, x3, x6; strh w7, [x11, #4]; subs x8, x8, #8; ldr w9, [x1, x8]; subs x2, x2, #1;
     * b.ne back.
     */
    private static final int[] SUMS = {0x8B06_042A, 0x9100_10C6, 0xF940_0545, 0xAA03_03EB, 0xF826_6965, 0xB100_214A,
        0x785F_E147, 0x8B06_006B, 0x7900_0967, 0xF100_2108, 0xB868_6829, 0xF100_0442, 0x54FF_FE81, HVC};

    @Test
    void loopsAcrossTheEndOfAPageAgreeWithTheInterpreter() {
        for (int[] loop : new int[][] {WORDS, MIXED, VECTORS, INDEXED, SUMS}) {
            try (FlatBoard translated = board(loop, true); FlatBoard interpreted = board(loop, false)) {
                for (long end : ENDS) {
                    for (int before = 0; before < 300; before += before < 40 ? 1 : 7) {
                        CpuExit.Kind kind = run(translated, end - before);
                        assertThat(kind).isEqualTo(run(interpreted, end - before));
                        String where = "%d instructions, %d before %x".formatted(loop.length, before, end);
                        assertThat(translated.cpu().x).as(where).isEqualTo(interpreted.cpu().x);
                        assertThat(translated.cpu().v).as(where).isEqualTo(interpreted.cpu().v);
                        assertThat(translated.cpu().s.pc).as(where).isEqualTo(interpreted.cpu().s.pc);
                        assertThat(translated.cpu().s.retired).as(where).isEqualTo(interpreted.cpu().s.retired);
                        assertThat(written(translated)).as(where).isEqualTo(written(interpreted));
                    }
                }
            }
        }
    }

    @Test
    void onlyAccessesByTheSameValueShare() {
        assertThat(saved(WORDS, 1)).isZero();
        assertThat(saved(WORDS, 4)).isEqualTo(6);
        assertThat(saved(MIXED, 1)).isEqualTo(2);
        // x1 up to where it is loaded 1, from there up to where it is loaded again 2, x3 3, x4 1
        assertThat(saved(VECTORS, 2)).isEqualTo(1 + 2 + 3 + 1);
        // x1 + x6 3, and of x1 + 4 * x8, x3 + x6, x3 + 4 * x6 and x3 + x8 the second copy's
        assertThat(saved(INDEXED, 2)).isEqualTo(3 + 1 + 1 + 1 + 1);
        // x1 + 2 * x6, x3 + x6, x1 + x8
        assertThat(saved(SUMS, 2)).isEqualTo(3 + 3 + 1);
    }

    private static int saved(int[] loop, int copies) {
        Insn[] page = new Insn[RegionFlow.SLOTS];
        for (int slot = 0; slot < loop.length - 1; slot++) {
            page[slot] = Decoder.of(CpuFeatures.DEFAULT).decode(loop[slot]);
        }
        RegionFlow flow = new RegionFlow(page, new short[RegionFlow.SLOTS], 0, loop.length);
        return new SharedLooks(flow, flow.blocks().getFirst(), copies).saved();
    }

    private static FlatBoard board(int[] loop, boolean translate) {
        FlatBoard board = new FlatBoard(RAM, 1, translate ? new Translator(Translator.Policy.EVERYTHING) : null);
        board.code(CODE, loop);
        // the last page holds the board's translation table
        for (int at = 0x2_0000; at < RAM - 0x1000; at += 8) {
            RAW.putLong(board.memory.hostAddress(at), at * 0x9E37_79B9_7F4A_7C15L);
        }
        return board;
    }

    private static CpuExit.Kind run(FlatBoard board, long from) {
        board.cpu().x[1] = from;
        board.cpu().x[2] = ROUNDS;
        board.cpu().x[3] = from < RAM - 400 ? TO + (from & 0xFFF) : TO;
        board.cpu().x[4] = TO - 8;
        board.cpu().x[6] = 0;
        board.cpu().x[8] = 0;
        RAW.putLong(board.memory.hostAddress(TO - 8), from - 32);
        return board.run(CODE, 13 * ROUNDS + 1);
    }

    private static long written(FlatBoard board) {
        long sum = 0;
        for (long at = TO - 0x1000; at < TO + 0x2000; at += 8) {
            sum = sum * 31 + RAW.getLong(board.memory.hostAddress(at));
        }
        return sum;
    }
}
