package gunyah.arm64.sysreg;

import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.mmu.Watchpoints;
import gunyah.arm64.state.CpuState;

/**
 * What the debug registers of a vCPU ask for: software step, hardware breakpoints and watchpoints, all taken to EL1
 * (Arm ARM DDI 0487, D2). Decoded when a register is written; {@link #isActive} is one field as long as nothing is asked
 * for. While it is true the engine executes instructions one by one. Watchpoints do not need that: the {@link Mmu} knows
 * their pages. Owned by the vCPU's thread.
 */
public final class SelfHostedDebug implements Watchpoints {
    /** As many as the DBGB and DBGW rows of {@link SystemRegister}. */
    static final int BREAKPOINTS = 6;
    static final int WATCHPOINTS = 4;
    /** So many breakpoints, the last ones, can compare with CONTEXTIDR_EL1. */
    static final int CONTEXT_AWARE = 2;

    private static final SystemRegister[] BVR = rows("DBGBVR", BREAKPOINTS);
    private static final SystemRegister[] BCR = rows("DBGBCR", BREAKPOINTS);
    private static final SystemRegister[] WVR = rows("DBGWVR", WATCHPOINTS);
    private static final SystemRegister[] WCR = rows("DBGWCR", WATCHPOINTS);

    private static final long MDSCR_SS = 1;
    private static final long MDSCR_KDE = 1 << 13;
    private static final long MDSCR_MDE = 1 << 15;
    private static final long OSLSR_OSLK = 1 << 1;

    private static final int ENABLE = 1;
    private static final int SECURE_ONLY = 2;
    private static final int LINKED = 1;
    private static final int CONTEXT = 2;
    private static final int LINKED_CONTEXT = 3;

    private static final int LOAD = 1;
    private static final int STORE = 2;
    private static final int ALL_BYTES = 0xFF;
    private static final int LEAST_MASK = 3;
    private static final int WATCH_LINKED = 1 << 20;

    /** ISS of the software step exception: the fault status, whether EX is valid, EX. */
    private static final int STATUS = 0x22;
    private static final int STEP_VALID = 1 << 24;
    private static final int STEP_EXCLUSIVE = 1 << 6;

    private final CpuState s;
    private final Mmu mmu;
    private final long[] r;
    private boolean locked;
    private boolean step;
    private boolean kernel;
    /** Some condition below is possible at some exception level. */
    private boolean armed;
    /** Exception levels at which a breakpoint may match: bit 0 EL0, bit 1 EL1; in all, and each. */
    private int breakLevels;
    private final int[] breakpointLevels = new int[BREAKPOINTS];
    private final int[] watchpointLevels = new int[WATCHPOINTS];
    /** First and last watched byte of each watchpoint. */
    private final long[] watchFrom = new long[WATCHPOINTS];
    private final long[] watchTo = new long[WATCHPOINTS];
    private boolean watching;
    private int stepIss = STATUS;

    SelfHostedDebug(CpuState s, Mmu mmu, long[] registers) {
        this.s = s;
        this.mmu = mmu;
        this.r = registers;
    }

    private static SystemRegister[] rows(String name, int count) {
        SystemRegister[] rows = new SystemRegister[count];
        for (int i = 0; i < count; i++) {
            rows[i] = SystemRegister.valueOf(name + i + "_EL1");
        }
        return rows;
    }

    private long value(SystemRegister register) {
        return r[register.ordinal()];
    }

    /** A debug register was written. */
    void registersChanged() {
        long mdscr = value(SystemRegister.MDSCR_EL1);
        locked = (value(SystemRegister.OSLSR_EL1) & OSLSR_OSLK) != 0;
        step = (mdscr & MDSCR_SS) != 0;
        kernel = (mdscr & MDSCR_KDE) != 0;
        boolean monitor = (mdscr & MDSCR_MDE) != 0 && !locked;
        breakLevels = 0;
        for (int i = 0; i < BREAKPOINTS; i++) {
            long control = value(BCR[i]);
            boolean known = type(control) <= (i < BREAKPOINTS - CONTEXT_AWARE ? LINKED : LINKED_CONTEXT);
            breakpointLevels[i] = monitor && known ? levels(control) : 0;
            if (type(control) != LINKED_CONTEXT) {
                breakLevels |= breakpointLevels[i];
            }
        }
        armed = !locked && (step || breakLevels != 0);
        watch(monitor);
    }

    private static int type(long breakpointControl) {
        return (int) (breakpointControl >>> 20) & 15;
    }

    /** PMC or PAC, SSC and HMC of an enabled one: there is no EL2 and no Secure state. */
    private static int levels(long control) {
        int security = (int) (control >>> 14) & 3;
        if ((control & ENABLE) == 0 || security == SECURE_ONLY) {
            return 0;
        }
        int privilege = (int) (control >>> 1) & 3;
        // 0b01 is EL1, 0b10 EL0
        return privilege >> 1 | (privilege & 1) << 1;
    }

    private void watch(boolean monitor) {
        boolean before = watching;
        boolean changed = false;
        watching = false;
        for (int i = 0; i < WATCHPOINTS; i++) {
            long from = watchFrom[i];
            long to = watchTo[i];
            int had = watchpointLevels[i];
            watchpointLevels[i] = monitor ? levels(value(WCR[i])) : 0;
            if (watchpointLevels[i] != 0) {
                range(i);
            }
            watching |= watchpointLevels[i] != 0;
            changed |= had != watchpointLevels[i] || from != watchFrom[i] || to != watchTo[i];
        }
        if (before != watching || watching && changed) {
            mmu.watchData(watching ? this : Watchpoints.NONE);
        }
    }

    /** The bytes of a watchpoint by MASK or by BAS; one that names none, or with a reserved mask, is off. */
    private void range(int i) {
        long control = value(WCR[i]);
        int mask = (int) (control >>> 24) & 31;
        int bytes = (int) (control >>> 5) & ALL_BYTES;
        long base = address(value(WVR[i]));
        if ((base & 4) != 0) {
            // a word, in the lower half of BAS
            bytes &= 15;
        }
        if (mask >= LEAST_MASK) {
            watchFrom[i] = base & -1L << mask;
            watchTo[i] = base | (1L << mask) - 1;
        } else if (mask != 0 || bytes == 0) {
            watchpointLevels[i] = 0;
        } else {
            // a gap in BAS is not allowed: the whole span is watched
            int first = Integer.numberOfTrailingZeros(bytes);
            watchFrom[i] = base + first;
            watchTo[i] = base + 31 - Integer.numberOfLeadingZeros(bytes);
        }
    }

    /** Value registers hold 49 bits. */
    private static long address(long value) {
        return value << 15 >> 15;
    }

    /** {@return whether debug exceptions are enabled at an exception level with these masks} */
    private boolean isEnabled(int el, int daif) {
        return !locked && (el == 0 || kernel && (daif & CpuState.DAIF_D) == 0);
    }

    /** {@return whether each instruction has to be looked at now} */
    public boolean isActive() {
        return armed && isEnabled(s.el, s.daif) && (step || (breakLevels & 1 << s.el) != 0);
    }

    private boolean isStepEnabled() {
        return step && isEnabled(s.el, s.daif);
    }

    /** {@return whether the step is done, so that the next instruction is not executed but a step exception taken} */
    public boolean isStepPending() {
        return isStepEnabled() && !s.ss;
    }

    /** {@return whether the next instruction is the one to be stepped} */
    public boolean isStepping() {
        return s.ss && isStepEnabled();
    }

    /** The instruction to be stepped was executed and did not take an exception. */
    public void stepped(int word) {
        s.ss = false;
        stepIss = STATUS | STEP_VALID | (isLoadExclusive(word) ? STEP_EXCLUSIVE : 0);
    }

    private static boolean isLoadExclusive(int word) {
        boolean pair = (word & 1 << 21) != 0;
        return (word & 0x3FC0_0000) == 0x0840_0000 && (!pair || word < 0);
    }

    /** Another context goes on: a step exception that it takes at once says nothing of an instruction. */
    void contextLeft() {
        stepIss = STATUS;
    }

    /** {@return the ISS of the pending step exception} */
    int stepIss() {
        return stepIss;
    }

    /** {@return PSTATE.SS after an exception return from here to that context (DebugExceptionReturnSS)} */
    boolean stepAfterReturn(boolean spsrStep, int targetEl, int targetDaif) {
        return spsrStep && step && !isEnabled(s.el, s.daif) && isEnabled(targetEl, targetDaif);
    }

    /** {@return whether the instruction at {@code pc} raises a breakpoint exception now} */
    public boolean hasBreakpoint(long pc) {
        if ((breakLevels & 1 << s.el) == 0) {
            return false;
        }
        for (int i = 0; i < BREAKPOINTS; i++) {
            if ((breakpointLevels[i] & 1 << s.el) != 0 && matches(i, pc)) {
                return true;
            }
        }
        return false;
    }

    private boolean matches(int i, long pc) {
        long control = value(BCR[i]);
        int type = type(control);
        if (type >= CONTEXT) {
            return type == CONTEXT && matchesContext(i);
        }
        return (address(value(BVR[i])) & -4) == pc && (type != LINKED || isLinkMet(control));
    }

    private boolean matchesContext(int i) {
        return (int) value(BVR[i]) == (int) value(SystemRegister.CONTEXTIDR_EL1);
    }

    private boolean isLinkMet(long control) {
        int link = (int) (control >>> 16) & 15;
        return link >= BREAKPOINTS - CONTEXT_AWARE && link < BREAKPOINTS && (value(BCR[link]) & ENABLE) != 0
                && type(value(BCR[link])) == LINKED_CONTEXT && matchesContext(link);
    }

    @Override
    public boolean coverPage(long va) {
        long page = untagged(va) & -4096;
        for (int i = 0; i < WATCHPOINTS; i++) {
            if (watchpointLevels[i] != 0 && overlaps(i, page, 4096)) {
                return true;
            }
        }
        return false;
    }

    private static long untagged(long va) {
        return va << 8 >> 8;
    }

    private boolean overlaps(int i, long from, int size) {
        return Long.compareUnsigned(from, watchTo[i]) <= 0
                && Long.compareUnsigned(from + size - 1, watchFrom[i]) >= 0;
    }

    @Override
    public long hit(long va, int size, boolean write, boolean el0) {
        if (!isEnabled(s.el, s.daif)) {
            return NONE_HIT;
        }
        long from = untagged(va);
        for (int i = 0; i < WATCHPOINTS; i++) {
            long control = value(WCR[i]);
            boolean wanted = (control >>> 3 & (write ? STORE : LOAD)) != 0;
            if (wanted && (watchpointLevels[i] & (el0 ? 1 : 2)) != 0 && overlaps(i, from, size)
                    && ((control & WATCH_LINKED) == 0 || isLinkMet(control))) {
                return va + Math.max(0, watchFrom[i] - from);
            }
        }
        return NONE_HIT;
    }
}
