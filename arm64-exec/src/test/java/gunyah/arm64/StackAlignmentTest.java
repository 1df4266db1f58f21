package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuExit;
import gunyah.arm64.sysreg.SystemRegisters;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The SP alignment fault (Arm ARM DDI 0487, D1.8.2), by both engines. */
class StackAlignmentTest {
    private static final long CODE = 0x1000;
    private static final long VECTORS = 0x8000;
    private static final long STACK = 0x9000;
    private static final int HVC_1 = 0xD4000022;
    private static final long SP_ALIGNMENT = 0x9A00_0000L;
    private static final int SCTLR = SystemRegisters.key(3, 0, 1, 0, 0);
    private static final int CPACR = SystemRegisters.key(3, 0, 1, 0, 2);
    private static final int ESR = SystemRegisters.key(3, 0, 5, 2, 0);
    private static final int ELR = SystemRegisters.key(3, 0, 4, 0, 1);
    private static final int FAR = SystemRegisters.key(3, 0, 6, 0, 0);
    private static final int VBAR = SystemRegisters.key(3, 0, 12, 0, 0);
    private static final int SA = 1 << 3;
    private static final int SA0 = 1 << 4;

    private static FlatBoard board(Tier tier) {
        FlatBoard board = new FlatBoard(1 << 20, 1, tier.translator());
        board.cpu().sys.write(VBAR, VECTORS);
        board.cpu().sys.write(FAR, 0x1234);
        for (int vector = 0; vector < 0x800; vector += 0x80) {
            board.code(VECTORS + vector, HVC_1);
        }
        board.cpu().x[31] = STACK;
        return board;
    }

    private static void allow(FlatBoard board, int set, int clear) {
        board.cpu().sys.write(SCTLR, board.cpu().sys.read(SCTLR) & ~clear | set);
    }

    @ParameterizedTest
    @EnumSource
    void everyWayToMisalignTheStackPointerIsNoticed(Tier tier) {
        int[] ways = {0x910023FF, // add sp, sp, #8
            0xD10003FF | 4 << 10, // sub sp, sp, #4
            0x9100001F, // mov sp, x0
            0x8B2163FF, // add sp, sp, x1
            0x320003FF, // orr wsp, wzr, #1
            0xF85F87E2, // ldr x2, [sp], #-8
            0xF81F8FE2, // str x2, [sp, #-8]!
            0xA8FF8FE2, // ldp x2, x3, [sp], #-8
            0x29BF0FE2, // stp w2, w3, [sp, #-8]!
            0xFC1F8FE2, // str d2, [sp, #-8]!
            0x0C9F73E0, // st1 {v0.8b}, [sp], #8
            0x0C8173E0}; // st1 {v0.8b}, [sp], x1
        for (int way : ways) {
            try (FlatBoard board = board(tier)) {
                // three times round, so that the way there is translated
                board.code(CODE, 0xD2800064, // mov x4, #3
                        0x910003E5, // mov x5, sp
                        0x910000BF, // mov sp, x5
                        0xF94003E6, // ldr x6, [sp]
                        0xF1000484, // subs x4, x4, #1
                        0x54FFFFA1, // b.ne three back
                        way, 0xF94003E6, // ldr x6, [sp]
                        HVC_1);
                board.cpu().x[0] = STACK + 8;
                board.cpu().x[1] = 8;
                assertThat(board.run(CODE, 1000)).isEqualTo(CpuExit.Kind.HYPERCALL);
                assertThat(board.cpu().sys.read(ESR)).as("%08x", way).isEqualTo(SP_ALIGNMENT);
                assertThat(board.cpu().sys.read(ELR)).isEqualTo(CODE + 4 * 7);
                assertThat(board.cpu().sys.read(FAR)).as("left alone").isEqualTo(0x1234);
                assertThat(board.cpu().s.retired).isEqualTo(2 + 3 * 4 + 1 + 2);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfAccessIsRefusedAndNothingElse(Tier tier) {
        int[] refused = {0xF94003E6, 0xF9000BE6, 0xB86063E6 | 1 << 11, 0xA9400FE2, 0x3DC003E0, 0x6D400FE2, 0xC85F7FE0,
            0xF82003E1, 0xC8DFFFE0, 0x4C407FE0, 0xF84007E0 | 8 << 12, 0xD95F_03E0 & ~(0x1FF << 12)};
        int[] allowed = {0xF98003E0, // prfm
            0x910003E0, // mov x0, sp
            0x58000040, // ldr x0, literal
            0xF9400000 | 5 << 5}; // ldr x0, [x5]
        for (int word : refused) {
            assertThat(outcome(word, tier, 0)).as("%08x", word).isEqualTo(SP_ALIGNMENT);
        }
        for (int word : allowed) {
            assertThat(outcome(word, tier, 0)).as("%08x", word).isZero();
        }
        assertThat(outcome(0xF94003E6, tier, SA)).as("not checked").isZero();
        assertThat(outcome(0xF94003E6, tier, SA0)).as("SA0 is not for EL1").isEqualTo(SP_ALIGNMENT);
        assertThat(outcome(0xC1FFFFFF, tier, 0)).as("unallocated").isEqualTo(0x0200_0000L);
    }

    private static long outcome(int word, Tier tier, int clear) {
        try (FlatBoard board = board(tier)) {
            allow(board, 0, clear);
            board.code(CODE, word, HVC_1, 0, 0);
            board.cpu().x[31] = STACK + 8;
            board.cpu().x[5] = STACK;
            assertThat(board.run(CODE, 1000)).isEqualTo(CpuExit.Kind.HYPERCALL);
            return board.cpu().s.pc == CODE + 8 ? 0 : board.cpu().sys.read(ESR);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anFpTrapComesFirst(Tier tier) {
        try (FlatBoard board = board(tier)) {
            board.cpu().sys.write(CPACR, 0);
            board.code(CODE, 0x3DC003E0, HVC_1); // ldr q0, [sp]
            board.cpu().x[31] = STACK + 8;
            board.run(CODE, 1000);
            assertThat(board.cpu().sys.read(ESR) >>> 26).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theCheckFollowsExceptionLevelAndRegister(Tier tier) {
        try (FlatBoard board = board(tier)) {
            // SCTLR.SA set while SP is misaligned already
            allow(board, 0, SA);
            board.code(CODE, 0xF94003E6, // ldr x6, [sp]
                    0xD5181007, // msr sctlr_el1, x7
                    0xF94003E6, // ldr x6, [sp]
                    HVC_1);
            board.cpu().x[31] = STACK + 4;
            board.cpu().x[7] = board.cpu().sys.read(SCTLR) | SA;
            assertThat(board.run(CODE, 1000)).isEqualTo(CpuExit.Kind.HYPERCALL);
            assertThat(board.cpu().sys.read(ELR)).isEqualTo(CODE + 8);

            board.cpu().sys.write(VBAR, VECTORS + 0x1000);
            // the aligned SP_EL1 after an exception serves until SPSel selects the other one
            board.code(VECTORS + 0x1200, 0xF94003E6, // ldr x6, [sp]
                    0xD50040BF, // msr spsel, #0
                    0xF94003E6, // ldr x6, [sp]
                    HVC_1);
            board.code(VECTORS + 0x1000, 0xD50041BF, HVC_1); // msr spsel, #1
            board.code(CODE + 0x100, 0xD4000001); // svc
            board.cpu().x[31] = STACK;
            board.cpu().s.spEl0 = STACK + 2;
            assertThat(board.run(CODE + 0x100, 1000)).isEqualTo(CpuExit.Kind.HYPERCALL);
            assertThat(board.cpu().sys.read(ESR)).isEqualTo(SP_ALIGNMENT);
            assertThat(board.cpu().sys.read(ELR)).isEqualTo(VECTORS + 0x1208);
        }
    }
}
