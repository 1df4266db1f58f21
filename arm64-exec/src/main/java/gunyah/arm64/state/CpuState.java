package gunyah.arm64.state;

import java.util.Arrays;

/**
 * The register state of one AArch64 vCPU at EL0/EL1 (Arm ARM DDI 0487, B1 and D1). A state holder with public fields,
 * because every semantics method touches it: owned by the vCPU's thread; others may look only while it is stopped.
 *
 * <p>General registers are indexed so that no semantics method tests for 31: the decoder turns a register field into
 * {@link #SP} or {@link #ZR_READ}/{@link #ZR_WRITE}. {@code x[ZR_READ]} is always zero, {@code x[ZR_WRITE]} is never
 * read.
 */
public final class CpuState {
    /** Index of the stack pointer of the current exception level and SPSel. */
    public static final int SP = 31;
    /** Index to read the zero register. */
    public static final int ZR_READ = 32;
    /** Index to write the zero register. */
    public static final int ZR_WRITE = 33;

    public static final int N = 1 << 31;
    public static final int Z = 1 << 30;
    public static final int C = 1 << 29;
    public static final int V = 1 << 28;

    /** DAIF bits as in PSTATE/SPSR: D 9, A 8, I 7, F 6. */
    public static final int DAIF_D = 1 << 9;
    public static final int DAIF_A = 1 << 8;
    public static final int DAIF_I = 1 << 7;
    public static final int DAIF_F = 1 << 6;

    /** X0..X30, the current SP, and the two faces of the zero register. */
    public final long[] x = new long[34];
    /** Address of the next instruction; during an instruction, of that instruction. */
    public long pc;
    /** Condition flags in bits 31:28, all other bits zero. */
    public int nzcv;
    /** Masks in bits 9:6, all other bits zero. */
    public int daif = DAIF_D | DAIF_A | DAIF_I | DAIF_F;
    /** Current exception level, 0 or 1. */
    public int el = 1;
    /** PSTATE.SP, 0 or 1; at EL0 always 0 in effect. */
    public int spSel = 1;
    /** SP_EL0 and SP_EL1 while not current; the current one lives in {@code x[SP]}. */
    public long spEl0;
    public long spEl1;
    public boolean pan;
    public boolean uao;
    public boolean ss;
    public boolean il;
    public boolean dit;
    public boolean ssbs;
    public boolean tco;
    /** PSTATE.BTYPE: how the instruction at {@link #pc} was reached, until it is executed; 0 without FEAT_BTI. */
    public int btype;
    /** FP and SIMD instructions trap now (CPACR_EL1.FPEN at the current EL); kept current by the system registers. */
    public boolean fpTrapped;

    /** V registers: {@code v[2n]} holds bits 63:0, {@code v[2n+1]} bits 127:64 of Vn. */
    public final long[] v = new long[64];
    public int fpcr;
    public int fpsr;

    /** Local exclusive monitor: host address it watches, 0 = open. */
    public long exclusiveHost;
    /** Value(s) the exclusive load saw; STXR compares and swaps with them. */
    public long exclusiveValue;
    public long exclusiveValueHigh;
    /** Bytes the exclusive load read. */
    public int exclusiveSize;
    /** Event register of WFE/SEV; written by others through {@link VcpuControl}. */
    public boolean eventRegister;

    /** Retired instructions since creation, exact at every exit. */
    public long retired;

    /** Makes this state equal to {@code other}. */
    public void copyFrom(CpuState other) {
        System.arraycopy(other.x, 0, x, 0, x.length);
        System.arraycopy(other.v, 0, v, 0, v.length);
        pc = other.pc;
        nzcv = other.nzcv;
        daif = other.daif;
        el = other.el;
        spSel = other.spSel;
        spEl0 = other.spEl0;
        spEl1 = other.spEl1;
        pan = other.pan;
        uao = other.uao;
        ss = other.ss;
        il = other.il;
        dit = other.dit;
        ssbs = other.ssbs;
        tco = other.tco;
        btype = other.btype;
        fpTrapped = other.fpTrapped;
        fpcr = other.fpcr;
        fpsr = other.fpsr;
        exclusiveHost = other.exclusiveHost;
        exclusiveValue = other.exclusiveValue;
        exclusiveValueHigh = other.exclusiveValueHigh;
        exclusiveSize = other.exclusiveSize;
        eventRegister = other.eventRegister;
        retired = other.retired;
    }

    /** {@return whether everything is equal that an instruction can read} */
    public boolean sameAs(CpuState other) {
        return Arrays.equals(x, 0, ZR_WRITE, other.x, 0, ZR_WRITE) && Arrays.equals(v, other.v) && pc == other.pc
                && spsr() == other.spsr() && el == other.el && spSel == other.spSel && spEl0 == other.spEl0
                && spEl1 == other.spEl1 && fpTrapped == other.fpTrapped && fpcr == other.fpcr && fpsr == other.fpsr
                && exclusiveHost == other.exclusiveHost && exclusiveValue == other.exclusiveValue
                && exclusiveValueHigh == other.exclusiveValueHigh && exclusiveSize == other.exclusiveSize
                && eventRegister == other.eventRegister && retired == other.retired;
    }

    /** {@return PSTATE in SPSR_EL1 format (NZCV, DAIF, PAN, UAO, IL, SS, mode, ...)} */
    public long spsr() {
        long value = nzcv & 0xF000_0000L | daif;
        value |= el == 0 ? 0 : 4 | spSel;
        value |= (long) btype << 10;
        value |= (ssbs ? 1L << 12 : 0) | (il ? 1L << 20 : 0) | (ss ? 1L << 21 : 0) | (pan ? 1L << 22 : 0);
        value |= (uao ? 1L << 23 : 0) | (dit ? 1L << 24 : 0) | (tco ? 1L << 25 : 0);
        return value;
    }

    /** Makes {@code newEl}/{@code newSpSel} current and swaps the stack pointer banks accordingly. */
    public void switchStack(int newEl, int newSpSel) {
        if (el == 1 && spSel == 1) {
            spEl1 = x[SP];
        } else {
            spEl0 = x[SP];
        }
        el = newEl;
        spSel = newEl == 0 ? 0 : newSpSel;
        x[SP] = el == 1 && spSel == 1 ? spEl1 : spEl0;
    }

    /** {@return SP_EL0 whether or not it is current} */
    public long readSpEl0() {
        return el == 1 && spSel == 1 ? spEl0 : x[SP];
    }

    /** Writes SP_EL0 whether or not it is current. */
    public void writeSpEl0(long value) {
        if (el == 1 && spSel == 1) {
            spEl0 = value;
        } else {
            x[SP] = value;
        }
    }
}
