package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.state.CpuState;

/**
 * What an instruction does to registers and flags, as far as the region that holds it must know. Registers are bits of a
 * mask: general ones at 0..30, the stack pointer at 31, vector registers at 32..63.
 *
 * @param reads  registers it reads; of one that calls its semantics, all it might
 * @param writes registers it writes; of one that calls its semantics, all it might
 * @param flags  kind of the flags it makes, or {@link #KEPT}
 */
record Effects(long reads, long writes, int flags) {
    /** The flags stay. */
    static final int KEPT = -1;
    /** Anything may be read and written: registers go to memory before, and come back after. */
    static final Effects EVERYTHING = new Effects(-1, -1, PendingFlags.NZCV);

    private static final int VECTOR_BIT = 1 << 26;

    static long bit(int register) {
        return register > CpuState.SP ? 0 : 1L << register;
    }

    static long vector(int register) {
        return 1L << 32 + (register & 31);
    }

    boolean isEverything() {
        return this == EVERYTHING;
    }

    static Effects of(Insn insn) {
        long rd = bit(insn.rd);
        long rn = bit(insn.rn);
        long rm = bit(insn.rm);
        long ra = bit(insn.ra);
        return switch (insn.op) {
            case Ops.CALL -> ofCall(insn);
            case Ops.CALL_BRANCH -> EVERYTHING;
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
            case Ops.ADCS_X, Ops.SBCS_X -> new Effects(rn | rm, rd, PendingFlags.ADC_64);
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

    /** {@return effects of an instruction without a number of the interpreter} */
    private static Effects ofCall(Insn insn) {
        int group = insn.word >>> 25 & 15;
        if ((group & 7) == 5) {
            return dataProcessing(insn);
        }
        if ((group & 7) == 7) {
            return vectorProcessing(insn);
        }
        if ((group & 5) == 4) {
            return (insn.word & VECTOR_BIT) != 0 ? vectorMemory(insn) : memory(insn);
        }
        return switch (insn.row.name()) {
            case "MRS" -> PointerEmitter.handles(insn) ? new Effects(0, bit(insn.rd), KEPT) : new Effects(bit(CpuState.SP), bit(insn.rd), PendingFlags.NZCV);
            case "DMB", "CLREX", "SB", "HINT" -> new Effects(0, 0, KEPT);
            default -> EVERYTHING;
        };
    }

    private static Effects dataProcessing(Insn insn) {
        String name = insn.row.name();
        long reads = bit(insn.rn) | bit(insn.rm) | bit(insn.ra) | bit(insn.rd);
        boolean wide = insn.c == 1;
        int flags = KEPT;
        if (name.startsWith("ADDS_")) {
            flags = wide ? PendingFlags.ADD_64 : PendingFlags.ADD_32;
        } else if (name.startsWith("SUBS_")) {
            flags = wide ? PendingFlags.SUB_64 : PendingFlags.SUB_32;
        } else if (name.startsWith("ANDS_") || name.startsWith("BICS_")) {
            flags = wide ? PendingFlags.LOGICAL_64 : PendingFlags.LOGICAL_32;
        } else if (name.equals("ADCS") || name.equals("SBCS") || name.equals("RMIF") || name.startsWith("SETF")) {
            flags = PendingFlags.NZCV;
        }
        return new Effects(reads, bit(insn.rd), flags);
    }

    private static Effects memory(Insn insn) {
        String name = insn.row.name();
        if (name.startsWith("CASP")) {
            return EVERYTHING;
        }
        if (MemoryEmitter.isTransfer(insn)) {
            boolean store = name.startsWith("ST");
            long index = name.endsWith("_reg") ? bit(insn.rm) : 0;
            long base = name.endsWith("_post") || name.endsWith("_pre") ? bit(insn.rn) : 0;
            return new Effects(bit(insn.rn) | index | (store ? bit(insn.rd) : 0), base | (store ? 0 : bit(insn.rd)), KEPT);
        }
        long all = bit(insn.rn) | bit(insn.rm) | bit(insn.ra) | bit(insn.rd);
        return new Effects(all, all, KEPT);
    }

    private static Effects vectorMemory(Insn insn) {
        long general = bit(insn.rn) | (insn.rm < 0 ? 0 : bit(insn.rm));
        long vectors = insn.row.name().contains("fpsimd") ? vector(insn.rd) | vector(insn.ra) : structure(insn);
        return new Effects(general | vectors, bit(insn.rn) | (insn.row.name().startsWith("ST") ? 0 : vectors), KEPT);
    }

    /** {@return the registers of LD1 to LD4 and ST1 to ST4, one after the other} */
    private static long structure(Insn insn) {
        int bytesOfEach = insn.row.name().contains("_mult") ? 8 << insn.b : 1 << insn.a;
        return vectors(insn.rd, (int) insn.imm / bytesOfEach);
    }

    private static long vectors(int first, int count) {
        long mask = 0;
        for (int k = 0; k < count; k++) {
            mask |= vector(first + k);
        }
        return mask;
    }

    private static Effects vectorProcessing(Insn insn) {
        int word = insn.word;
        long vectors = vector(insn.rm) | vector(word) | vector(word >>> 5) | vector(word >>> 10) | vector(word >>> 16);
        String name = insn.row.name();
        if (name.startsWith("TB")) {
            vectors |= vectors(insn.rn, insn.c);
        }
        if (VectorEmitter.handles(insn) && name.indexOf("MADD") < 0 && name.indexOf("MSUB") < 0) {
            vectors = vector(word) | vector(word >>> 5) | vector(word >>> 16);
        }
        boolean conversion = (word & 0x5F20_FC00) == 0x1E20_0000 || (word & 0x5F20_0000) == 0x1E00_0000;
        boolean copy = (word & 0x9FE0_8400) == 0x0E00_0400;
        long general = conversion || copy ? bit(insn.rn) | bit(insn.rd) : 0;
        int flags = KEPT;
        if (VectorEmitter.isCompare(insn)) {
            flags = PendingFlags.FP;
        } else if (name.startsWith("FCMP_") || name.startsWith("FCMPE_") || name.startsWith("FCCMP")
                || name.equals("FJCVTZS") || name.startsWith("FCSEL") && !VectorEmitter.handles(insn)) {
            flags = PendingFlags.NZCV;
        }
        return new Effects(general | vectors, general & bit(insn.rd) | vector(word), flags);
    }
}
