package gunyah.hyp.vcpu;

import gunyah.hyp.HypError;
import gunyah.hyp.StateText;

/**
 * Registers written while the vCPU is off (vcpu_register_write, vcpu_poweron), applied by its thread at the reset.
 * Guarded by the vCPU's monitor until the reset is pending.
 */
final class BootRegisters {
    private static final int SET_X = 0;
    private static final int SET_PC = 1;
    private static final int SET_SP = 2;
    private static final int X_COUNT = 31;

    private final long[] x = new long[X_COUNT];
    private int xWritten;
    private final long[] sp = new long[2];
    private int spWritten;
    private long pc;

    /** {@return OK, or ARGUMENT_INVALID} */
    HypError write(long set, long index, long value) {
        if (set == SET_X && index >= 0 && index < X_COUNT) {
            x[(int) index] = value;
            xWritten |= 1 << index;
            return HypError.OK;
        }
        if (set == SET_PC && index == 0 && (value & 3) == 0) {
            pc = value;
            return HypError.OK;
        }
        if (set == SET_SP && (index == 0 || index == 1) && (value & 15) == 0) {
            sp[(int) index] = value;
            spWritten |= 1 << index;
            return HypError.OK;
        }
        return HypError.ARGUMENT_INVALID;
    }

    void describe(StateText text) {
        text.put("boot.pc", pc);
        for (int i = 0; i < X_COUNT; i++) {
            if ((xWritten >>> i & 1) != 0) {
                text.put("boot.x" + i, x[i]);
            }
        }
        for (int el = 0; el < 2; el++) {
            if ((spWritten >>> el & 1) != 0) {
                text.put("boot.sp_el" + el, sp[el]);
            }
        }
    }

    void entry(long entry, boolean keepEntry, long x0, boolean keepX0) {
        if (!keepEntry) {
            pc = entry;
        }
        if (!keepX0) {
            x[0] = x0;
            xWritten |= 1;
        }
    }

    void apply(VcpuEngine engine) {
        long[] registers = engine.x();
        engine.reset(pc, (xWritten & 1) != 0 ? x[0] : registers[0]);
        for (int i = 1; i < X_COUNT; i++) {
            if ((xWritten >>> i & 1) != 0) {
                registers[i] = x[i];
            }
        }
        for (int el = 0; el < 2; el++) {
            if ((spWritten >>> el & 1) != 0) {
                engine.writeSp(el, sp[el]);
            }
        }
        xWritten = 0;
        spWritten = 0;
    }
}
