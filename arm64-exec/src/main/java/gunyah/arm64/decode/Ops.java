package gunyah.arm64.decode;

/**
 * The interpreter's switch numbers. {@link #CALL} and {@link #CALL_BRANCH} execute the row's semantics; the two after
 * them are not instructions but marks in a code page; the rest name the instruction forms that dominate real programs
 * and which translated code and (but for the rarest) the interpreter execute in line. {@code _X} works on 64 bits,
 * {@code _W} on 32; most operands are prepared by the row's field decoding so that one number serves many encodings.
 */
public final class Ops {
    /** Call the semantics, go on with the next instruction. */
    public static final int CALL = 0;
    /** Call the semantics, which sets the PC. */
    public static final int CALL_BRANCH = 1;
    /** A slot of a code page that is not decoded yet. */
    public static final int UNDECODED = 2;
    /** The end of a code page. */
    public static final int PAGE_END = 3;
    public static final int NOP = 4;

    /** rd = imm. */
    public static final int CONST = 5;
    /** rd = rd with 16 bits replaced: shift a. */
    public static final int MOVK_X = 6;
    public static final int MOVK_W = 7;
    /** rd = PC + imm. */
    public static final int ADR = 8;
    /** rd = page of PC + imm. */
    public static final int ADRP = 9;

    /** rd = rn + imm (imm negative for SUB). */
    public static final int ADD_IMM_X = 10;
    public static final int ADD_IMM_W = 11;
    public static final int ADDS_IMM_X = 12;
    public static final int ADDS_IMM_W = 13;
    public static final int SUBS_IMM_X = 14;
    public static final int SUBS_IMM_W = 15;
    /** rd = rn + (rm LSL a). */
    public static final int ADD_LSL_X = 16;
    public static final int ADD_LSL_W = 17;
    public static final int SUB_LSL_X = 18;
    public static final int SUB_LSL_W = 19;
    public static final int ADDS_LSL_X = 20;
    public static final int ADDS_LSL_W = 21;
    public static final int SUBS_LSL_X = 22;
    public static final int SUBS_LSL_W = 23;
    /** rd = rn + (extend(rm) LSL a), 64 bits; b is the extension. */
    public static final int ADD_EXT_X = 24;
    public static final int ADC_X = 25;
    public static final int ADCS_X = 26;
    public static final int SBCS_X = 27;

    /** rd = rn op imm; also the 32-bit forms, whose masks have no high half. */
    public static final int AND_IMM = 28;
    public static final int ORR_IMM_X = 29;
    public static final int ORR_IMM_W = 30;
    public static final int EOR_IMM_X = 31;
    public static final int EOR_IMM_W = 32;
    public static final int ANDS_IMM_X = 33;
    public static final int ANDS_IMM_W = 34;
    /** rd = rn op (rm LSL a). */
    public static final int AND_LSL_X = 35;
    public static final int AND_LSL_W = 36;
    public static final int ORR_LSL_X = 37;
    public static final int ORR_LSL_W = 38;
    public static final int EOR_LSL_X = 39;
    public static final int EOR_LSL_W = 40;
    public static final int BIC_LSL_X = 41;
    public static final int BIC_LSL_W = 42;
    public static final int ANDS_LSL_X = 43;
    public static final int ANDS_LSL_W = 44;
    public static final int MOV_X = 45;
    public static final int MOV_W = 46;

    /** rd = rn >>> a & imm, both widths. */
    public static final int UBFX = 47;
    /** rd = (rn & imm) << a, both widths. */
    public static final int UBFIZ = 48;
    /** rd = rn << a >> b. */
    public static final int SBFM_X = 49;
    public static final int SBFM_W = 50;
    /** rd = rd with the bits of imm taken from rn rotated right by a. */
    public static final int BFM_X = 51;
    public static final int BFM_W = 52;
    public static final int EXTR_X = 53;
    public static final int EXTR_W = 54;
    public static final int LSLV_X = 55;
    public static final int LSLV_W = 56;
    public static final int LSRV_X = 57;
    public static final int LSRV_W = 58;

    public static final int MADD_X = 59;
    public static final int MADD_W = 60;
    public static final int MSUB_X = 61;
    public static final int UMULH = 62;
    public static final int UMADDL = 63;
    public static final int SMADDL = 64;

    /** a is the condition's set of NZCV values. */
    public static final int CSEL_X = 65;
    public static final int CSEL_W = 66;
    public static final int CSINC_X = 67;
    public static final int CSINC_W = 68;
    public static final int CSINV_X = 69;
    public static final int CCMP = 70;

    /** imm counts instructions. */
    public static final int B = 71;
    public static final int BL = 72;
    public static final int B_COND = 73;
    public static final int CBZ_X = 74;
    public static final int CBZ_W = 75;
    public static final int CBNZ_X = 76;
    public static final int CBNZ_W = 77;
    public static final int TBZ = 78;
    public static final int TBNZ = 79;
    public static final int BR = 80;
    public static final int BLR = 81;

    /** Address rn + imm; unsigned offset and unscaled forms. */
    public static final int LDR_X = 82;
    public static final int LDR_W = 83;
    public static final int LDRH = 84;
    public static final int LDRB = 85;
    public static final int LDRSW = 86;
    public static final int STR_X = 87;
    public static final int STR_W = 88;
    public static final int STRH = 89;
    public static final int STRB = 90;
    /** Address rn + (extend(rm) << a). */
    public static final int LDR_X_REG = 91;
    public static final int LDR_W_REG = 92;
    public static final int LDRH_REG = 93;
    public static final int LDRB_REG = 94;
    public static final int STR_X_REG = 95;
    public static final int STR_W_REG = 96;
    public static final int STRB_REG = 97;
    /** Access at rn + a, then rn += b (one of them zero unless pre-indexed, where both are the offset). */
    public static final int LDR_X_WB = 98;
    public static final int STR_X_WB = 99;
    public static final int LDRB_WB = 100;
    public static final int STRB_WB = 101;
    public static final int LDR_W_WB = 102;
    public static final int STR_W_WB = 103;
    /** Registers rd and ra at rn + a, then rn += b. */
    public static final int LDP_X = 104;
    public static final int STP_X = 105;

    /** rd = rn op (rm shifted by a); b is the type of shift. */
    public static final int ADD_SHIFT_X = 106;
    public static final int ADD_SHIFT_W = 107;
    public static final int SUB_SHIFT_X = 108;
    public static final int ORR_SHIFT_X = 109;
    public static final int ORR_SHIFT_W = 110;
    public static final int EOR_SHIFT_X = 111;
    public static final int EOR_SHIFT_W = 112;

    /** Call the semantics, which may leave SP misaligned; see {@link StackPointer}. */
    public static final int CALL_STACK = 113;

    private Ops() {
    }
}
