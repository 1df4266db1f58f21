package gunyah.arm64.sysreg;

import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import java.util.Arrays;

/**
 * The PMU of a vCPU (Arm ARM DDI 0487, D8, PMUv3): a cycle counter and event counters for instructions, cycles and
 * software increments, exact in both engines. An instruction takes one cycle, and no cycle passes while the vCPU waits
 * or executes nothing. Counts are brought up when somebody looks and when the exception level changes; the engine stops
 * at an overflow that interrupts ({@link #limit}). Owned by the vCPU's thread.
 */
public final class PerformanceMonitors {
    /** As many as the PMEVCNTR rows of {@link SystemRegister}. */
    static final int COUNTERS = 6;
    private static final int CYCLES = 31;
    private static final int ALL = 1 << CYCLES | (1 << COUNTERS) - 1;

    private static final int EVENT_SOFTWARE = 0x00;
    private static final int EVENT_INSTRUCTIONS = 0x08;
    private static final int EVENT_CYCLES = 0x11;
    private static final long EVENTS = 1L << EVENT_SOFTWARE | 1L << EVENT_INSTRUCTIONS | 1L << EVENT_CYCLES;
    private static final int NOT_AT_EL1 = 1 << 31;
    private static final int NOT_AT_EL0 = 1 << 30;
    private static final int EVENT_MASK = 0x3FF;
    private static final int TYPE_MASK = NOT_AT_EL1 | NOT_AT_EL0 | EVENT_MASK;

    private static final int PMCR_E = 1;
    private static final int PMCR_P = 1 << 1;
    private static final int PMCR_C = 1 << 2;
    private static final int PMCR_D = 1 << 3;
    private static final int PMCR_LC = 1 << 6;
    /** E, D, X, DP and LC. */
    private static final int PMCR_STORED = 0x79;
    private static final int CYCLE_DIVIDER_LOG2 = 6;

    private static final int USER_ALL = 1;
    private static final int USER_SOFTWARE = 1 << 1;
    private static final int USER_CYCLES = 1 << 2;
    private static final int USER_EVENTS = 1 << 3;

    private static final long LOW = 0xFFFF_FFFFL;

    private final CpuState s;
    private final CpuPort port;
    private final VcpuControl control;
    private final long[] counter = new long[COUNTERS];
    private final int[] type = new int[COUNTERS];
    private long cycles;
    /** Cycles of the divider that make no count yet. */
    private long fraction;
    private int cycleFilter;
    private int pmcr;
    private int enabled;
    private int overflowed;
    private int interrupts;
    private int selected;
    private int user;
    /** Instructions retired when the counts were brought up last. */
    private long mark;
    /** What {@link CpuState#retired} counts beside retired instructions: exceptions. */
    private long exceptions;
    private boolean active;

    PerformanceMonitors(CpuState s, CpuPort port, VcpuControl control) {
        this.s = s;
        this.port = port;
        this.control = control;
    }

    void reset() {
        synchronize(0);
        pmcr = 0;
        enabled = 0;
        overflowed = 0;
        interrupts = 0;
        user = 0;
        active = false;
        port.overflowChanged();
    }

    /** An exception was counted as if it were an instruction. */
    public void exceptionCounted() {
        exceptions++;
    }

    /** {@return whether something counts} The engine asks for the {@link #limit} then. */
    public boolean isActive() {
        return active;
    }

    /** {@return the level of the overflow interrupt (PPI 23)} */
    public boolean overflowLine() {
        return (pmcr & PMCR_E) != 0 && (overflowed & interrupts) != 0;
    }

    /**
     * {@return {@code end}, or the retired count at which a counter overflows that is to interrupt} Brings the counts up.
     * It holds until the exception level or a register of the PMU changes.
     */
    public long limit(long end) {
        synchronize(0);
        long left = Long.MAX_VALUE;
        int asking = enabled & interrupts & ~overflowed;
        for (int n = 0; asking != 0 && n < COUNTERS; n++) {
            if ((asking & 1 << n) != 0 && counts(n)) {
                left = Math.min(left, LOW + 1 - counter[n]);
            }
        }
        if ((asking & 1 << CYCLES) != 0 && isCountedHere(cycleFilter)) {
            left = Math.min(left, untilCyclesOverflow());
        }
        return left < end - s.retired ? s.retired + left : end;
    }

    private long untilCyclesOverflow() {
        if ((pmcr & PMCR_LC) != 0) {
            return cycles < 0 ? -cycles : Long.MAX_VALUE;
        }
        long counts = LOW + 1 - (cycles & LOW);
        return (pmcr & PMCR_D) != 0 ? (counts << CYCLE_DIVIDER_LOG2) - fraction : counts;
    }

    /**
     * The exception level is about to change.
     *
     * @param done 1 when the instruction that does it retires, which the count does not have yet; else 0
     */
    void levelChanges(int done) {
        if (active) {
            synchronize(done);
            recount();
        }
    }

    /** Counts what retired since the last time. */
    private void synchronize(int done) {
        long now = s.retired - exceptions + done;
        long delta = now - mark;
        mark = now;
        if (!active || delta == 0) {
            return;
        }
        int before = overflowed;
        for (int n = 0; n < COUNTERS; n++) {
            if ((enabled & 1 << n) != 0 && counts(n)) {
                add(n, delta);
            }
        }
        if ((enabled & 1 << CYCLES) != 0 && isCountedHere(cycleFilter)) {
            addCycles(delta);
        }
        if (overflowed != before) {
            port.overflowChanged();
        }
    }

    private boolean counts(int n) {
        int event = type[n] & EVENT_MASK;
        return (event == EVENT_INSTRUCTIONS || event == EVENT_CYCLES) && isCountedHere(type[n]);
    }

    private boolean isCountedHere(int filter) {
        return (filter & (s.el == 0 ? NOT_AT_EL0 : NOT_AT_EL1)) == 0;
    }

    private void add(int n, long delta) {
        long sum = counter[n] + delta;
        counter[n] = sum & LOW;
        if (sum > LOW) {
            overflowed |= 1 << n;
        }
    }

    private void addCycles(long delta) {
        long counts = delta;
        boolean isLong = (pmcr & PMCR_LC) != 0;
        if (!isLong && (pmcr & PMCR_D) != 0) {
            fraction += delta;
            counts = fraction >>> CYCLE_DIVIDER_LOG2;
            fraction &= (1 << CYCLE_DIVIDER_LOG2) - 1;
        }
        long before = cycles;
        cycles += counts;
        if (isLong ? Long.compareUnsigned(cycles, before) < 0 : cycles >>> 32 != before >>> 32) {
            overflowed |= 1 << CYCLES;
        }
    }

    /** What counts has changed: the engine has to ask for its limit anew, the line may have another level. */
    private void recount() {
        active = (pmcr & PMCR_E) != 0 && enabled != 0;
        if (active && (interrupts & enabled) != 0) {
            control.raise(VcpuControl.IRQ);
        }
    }

    /** {@return whether EL0 may access the register now} */
    boolean allowsEl0(SystemRegister register, boolean read) {
        int own = switch (register) {
            case PMSWINC_EL0 -> USER_SOFTWARE;
            case PMCCNTR_EL0 -> read ? USER_CYCLES : 0;
            case PMSELR_EL0 -> USER_EVENTS;
            case PMXEVCNTR_EL0 -> read ? USER_EVENTS : 0;
            default -> isEventCounter(register) && read ? USER_EVENTS : 0;
        };
        return (user & (USER_ALL | own)) != 0;
    }

    private static boolean isEventCounter(SystemRegister register) {
        return register.ordinal() >= SystemRegister.PMEVCNTR0_EL0.ordinal()
                && register.ordinal() < SystemRegister.PMEVCNTR0_EL0.ordinal() + COUNTERS;
    }

    long read(SystemRegister register) {
        synchronize(0);
        return switch (register) {
            case PMCR_EL0 -> COUNTERS << 11 | pmcr;
            case PMCNTENSET_EL0, PMCNTENCLR_EL0 -> enabled & LOW;
            case PMOVSCLR_EL0, PMOVSSET_EL0 -> overflowed & LOW;
            case PMINTENSET_EL1, PMINTENCLR_EL1 -> interrupts & LOW;
            case PMSELR_EL0 -> selected;
            case PMUSERENR_EL0 -> user;
            case PMCEID0_EL0 -> EVENTS;
            case PMCEID1_EL0 -> 0;
            case PMCCNTR_EL0 -> cycles;
            case PMCCFILTR_EL0 -> cycleFilter & LOW;
            case PMXEVTYPER_EL0 -> readType(selected);
            case PMXEVCNTR_EL0 -> selected < COUNTERS ? counter[selected] : 0;
            default -> isEventCounter(register) ? counter[number(register)] : readType(number(register));
        };
    }

    private static int number(SystemRegister register) {
        int first = (isEventCounter(register) ? SystemRegister.PMEVCNTR0_EL0 : SystemRegister.PMEVTYPER0_EL0).ordinal();
        return register.ordinal() - first;
    }

    private long readType(int n) {
        return n == CYCLES ? cycleFilter & LOW : n < COUNTERS ? type[n] & LOW : 0;
    }

    void write(SystemRegister register, long value) {
        synchronize(0);
        int bits = (int) value & ALL;
        switch (register) {
            case PMCR_EL0 -> writeControl((int) value);
            case PMCNTENSET_EL0 -> enabled |= bits;
            case PMCNTENCLR_EL0 -> enabled &= ~bits;
            case PMOVSSET_EL0 -> overflowed |= bits;
            case PMOVSCLR_EL0 -> overflowed &= ~bits;
            case PMINTENSET_EL1 -> interrupts |= bits;
            case PMINTENCLR_EL1 -> interrupts &= ~bits;
            case PMSWINC_EL0 -> softwareIncrement(bits);
            case PMSELR_EL0 -> selected = (int) value & 31;
            case PMUSERENR_EL0 -> user = (int) value & (USER_ALL | USER_SOFTWARE | USER_CYCLES | USER_EVENTS);
            case PMCCNTR_EL0 -> cycles = value;
            case PMCCFILTR_EL0 -> writeType(CYCLES, value);
            case PMXEVTYPER_EL0 -> writeType(selected, value);
            case PMXEVCNTR_EL0 -> writeCounter(selected, value);
            default -> {
                if (isEventCounter(register)) {
                    writeCounter(number(register), value);
                } else {
                    writeType(number(register), value);
                }
            }
        }
        recount();
        port.overflowChanged();
    }

    private void writeControl(int value) {
        pmcr = value & PMCR_STORED;
        if ((value & PMCR_P) != 0) {
            Arrays.fill(counter, 0);
        }
        if ((value & PMCR_C) != 0) {
            cycles = 0;
            fraction = 0;
        }
    }

    private void softwareIncrement(int counters) {
        for (int n = 0; n < COUNTERS; n++) {
            boolean counts = (counters & enabled & 1 << n) != 0 && (type[n] & EVENT_MASK) == EVENT_SOFTWARE;
            if (active && counts && isCountedHere(type[n])) {
                add(n, 1);
            }
        }
    }

    private void writeCounter(int n, long value) {
        if (n < COUNTERS) {
            counter[n] = value & LOW;
        }
    }

    private void writeType(int n, long value) {
        if (n == CYCLES) {
            cycleFilter = (int) value & (NOT_AT_EL1 | NOT_AT_EL0);
        } else if (n < COUNTERS) {
            type[n] = (int) value & TYPE_MASK;
        }
    }
}
