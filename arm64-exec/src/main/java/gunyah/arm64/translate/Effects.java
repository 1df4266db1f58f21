package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuState;

/**
 * What an instruction that is translated in line does to the general registers and flags. Registers are bits of a mask,
 * 31 the stack pointer.
 *
 * @param reads  registers it reads
 * @param writes registers it writes
 * @param flags  kind of the flags it makes, or {@link #KEPT}
 */
record Effects(long reads, long writes, int flags) {
    /** The flags stay. */
    static final int KEPT = -1;

    static long bit(int register) {
        return register > CpuState.SP ? 0 : 1L << register;
    }

    static Effects of(Insn insn) {
        long rd = bit(insn.rd);
        long rn = bit(insn.rn);
        long rm = bit(insn.rm);
        long ra = bit(insn.ra);
        return switch (insn.op) {
            case Ops.NOP, Ops.B, Ops.B_COND -> new Effects(0, 0, KEPT);
            case Ops.CONST, Ops.ADR, Ops.ADRP -> new Effects(0, rd, KEPT);
            case Ops.MOVK_X, Ops.MOVK_W -> new Effects(rd, rd, KEPT);
            case Ops.ADDS_IMM_X -> new Effects(rn, rd, PendingFlags.ADD_64);
            case Ops.ADDS_IMM_W -> new Effects(rn, rd, PendingFlags.ADD_32);
            case Ops.SUBS_IMM_X -> new Effects(rn, rd, PendingFlags.SUB_64);
            case Ops.SUBS_IMM_W -> new Effects(rn, rd, PendingFlags.SUB_32);
            case Ops.ADDS_LSL_X -> new Effects(rn | rm, rd, PendingFlags.ADD_64);
            case Ops.ADDS_LSL_W -> new Effects(rn | rm, rd, PendingFlags.ADD_32);
            case Ops.SUBS_LSL_X -> new Effects(rn | rm, rd, PendingFlags.SUB_64);
            case Ops.SUBS_LSL_W -> new Effects(rn | rm, rd, PendingFlags.SUB_32);
            case Ops.ADCS_X, Ops.SBCS_X -> new Effects(rn | rm, rd, PendingFlags.NZCV);
            case Ops.ANDS_IMM_X -> new Effects(rn, rd, PendingFlags.LOGICAL_64);
            case Ops.ANDS_IMM_W -> new Effects(rn, rd, PendingFlags.LOGICAL_32);
            case Ops.ANDS_LSL_X -> new Effects(rn | rm, rd, PendingFlags.LOGICAL_64);
            case Ops.ANDS_LSL_W -> new Effects(rn | rm, rd, PendingFlags.LOGICAL_32);
            case Ops.CCMP -> new Effects(rn | ((insn.b & 2) != 0 ? 0 : rm), 0, PendingFlags.NZCV);
            case Ops.MOV_X, Ops.MOV_W -> new Effects(rm, rd, KEPT);
            case Ops.BFM_X, Ops.BFM_W -> new Effects(rn | rd, rd, KEPT);
            case Ops.MADD_X, Ops.MADD_W, Ops.MSUB_X, Ops.UMADDL, Ops.SMADDL -> new Effects(rn | rm | ra, rd, KEPT);
            case Ops.BL -> new Effects(0, bit(30), KEPT);
            case Ops.BLR -> new Effects(rn, bit(30), KEPT);
            case Ops.CBZ_X, Ops.CBZ_W, Ops.CBNZ_X, Ops.CBNZ_W, Ops.TBZ, Ops.TBNZ, Ops.BR -> new Effects(rn, 0, KEPT);
            case Ops.LDR_X, Ops.LDR_W, Ops.LDRH, Ops.LDRB, Ops.LDRSW -> new Effects(rn, rd, KEPT);
            case Ops.STR_X, Ops.STR_W, Ops.STRH, Ops.STRB -> new Effects(rn | rd, 0, KEPT);
            case Ops.LDR_X_REG, Ops.LDR_W_REG, Ops.LDRH_REG, Ops.LDRB_REG -> new Effects(rn | rm, rd, KEPT);
            case Ops.STR_X_REG, Ops.STR_W_REG, Ops.STRB_REG -> new Effects(rn | rm | rd, 0, KEPT);
            case Ops.LDR_X_WB, Ops.LDR_W_WB, Ops.LDRB_WB -> new Effects(rn, rd | rn, KEPT);
            case Ops.STR_X_WB, Ops.STR_W_WB, Ops.STRB_WB -> new Effects(rn | rd, rn, KEPT);
            case Ops.LDP_X -> new Effects(rn, rd | ra | (insn.b == 0 ? 0 : rn), KEPT);
            case Ops.STP_X -> new Effects(rn | rd | ra, insn.b == 0 ? 0 : rn, KEPT);
            case Ops.ADD_IMM_X, Ops.ADD_IMM_W, Ops.AND_IMM, Ops.ORR_IMM_X, Ops.ORR_IMM_W, Ops.EOR_IMM_X,
                    Ops.EOR_IMM_W, Ops.UBFX, Ops.UBFIZ, Ops.SBFM_X, Ops.SBFM_W -> new Effects(rn, rd, KEPT);
            default -> new Effects(rn | rm, rd, KEPT);
        };
    }
}
