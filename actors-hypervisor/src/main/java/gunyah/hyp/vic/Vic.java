package gunyah.hyp.vic;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;
import gunyah.hyp.TraceSink;
import gunyah.hyp.VirqController;
import gunyah.hyp.VirqSource;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.addrspace.VdeviceSource;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/**
 * A VM's virtual interrupt controller. Interrupts are numbered inside by slot: INTIDs 0..1019 as they are, extended
 * SPIs 4096.. follow. The lock guards lines, interfaces and routes; whoever must be woken is woken after it is
 * released, so waking may raise interrupts at other controllers.
 *
 * <p>A VM whose vCPUs run Java has no CPU interface: its interrupts go to {@link #deliverTo the VM's handler}, where
 * they count as taken and ended at once.
 */
public final class Vic extends KernelObject implements VirqController, VdeviceSource {
    /** Most vCPUs of one VM. */
    public static final int MAX_VCPUS = 64;
    /** SPIs 32..1019. */
    public static final int MAX_SPIS = 988;
    /** Extended SPIs 4096..5119, which a controller has when it is configured for more than {@link #MAX_SPIS}. */
    public static final int MAX_EXTENDED_SPIS = 1024;

    static final int FIRST_SPI = 32;
    static final int SPI_END = 1020;
    static final int FIRST_EXTENDED_SPI = 4096;
    private static final int SPURIOUS = 1023;
    private static final int FIRST_PPI = 16;
    private static final int NOT_A_SLOT = -1;
    private static final int NOWHERE = -1;
    private static final int OPTION_MSIS_VALID = 1;
    private static final int OPTION_NO_DEFAULT_ADDRESS = 1 << 1;
    private static final long SGI_IRM = 1L << 40;
    private static final int FLAG_LAST = 1;

    private final ReentrantLock lock = new ReentrantLock();
    private final CpuInterface[] cpus = new CpuInterface[MAX_VCPUS];
    private final MmioDevice distributor = new Distributor(this);
    private MpidrMapping mapping = MpidrMapping.LINEAR;
    private int maxVcpus;
    private int maxVirqs;
    private int slots;
    private Lines shared = new Lines(0);
    private int[] routes = {};
    private long[] routerValues = {};
    private int groupEnables;
    private boolean java;
    private IntConsumer handler;
    private final BitSet undelivered = new BitSet();
    private long handedOver;
    private final TraceSink trace;

    /** @param trace null for none */
    public Vic(int id, TraceSink trace) {
        super(ObjectType.VIC, id);
        this.trace = trace;
    }

    /** vic_configure: OK, or ARGUMENT_INVALID. In INIT. */
    public HypError configure(long vcpus, long virqs, long options, long msis) {
        if ((options & ~(OPTION_MSIS_VALID | OPTION_NO_DEFAULT_ADDRESS)) != 0 || vcpus < 1 || vcpus > MAX_VCPUS
                || virqs < 0 || virqs > MAX_SPIS + MAX_EXTENDED_SPIS
                || (options & OPTION_MSIS_VALID) != 0 && msis != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        maxVcpus = (int) vcpus;
        maxVirqs = (int) virqs;
        return HypError.OK;
    }

    /** vgic_set_mpidr_mapping; in INIT. */
    public HypError mapMpidr(long mask, long shift0, long shift1, long shift2, long shift3, long multiThread) {
        if (mask >>> 32 != 0 || shift0 > 31 || shift1 > 31 || shift2 > 31 || shift3 > 31 || multiThread > 1
                || (shift0 | shift1 | shift2 | shift3 | multiThread) < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        int shifts = (int) (shift0 | shift1 << 8 | shift2 << 16 | shift3 << 24);
        mapping = new MpidrMapping((int) mask, shifts, multiThread == 1);
        return HypError.OK;
    }

    @Override
    protected void describe(StateText text) {
        lock.lock();
        try {
            text.put("vcpus.max", maxVcpus).put("virqs.max", maxVirqs).put("mapping", mapping.toString());
            text.put("groups", groupEnables).put("java", java).put("undelivered", undelivered.toString());
            shared.describe(text);
            for (int slot = FIRST_SPI; slot < slots; slot++) {
                if (routerValues[slot] != 0) {
                    text.put("router." + slot, routerValues[slot]);
                }
            }
            for (int index = 0; index < maxVcpus; index++) {
                if (cpus[index] != null) {
                    text.put("cpu", index);
                    cpus[index].describe(text);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    protected HypError onActivate() {
        if (maxVcpus == 0) {
            return HypError.OBJECT_CONFIG;
        }
        slots = FIRST_SPI + maxVirqs;
        shared = new Lines(slots);
        routes = new int[slots];
        routerValues = new long[slots];
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        lock.lock();
        try {
            for (int slot = FIRST_SPI; slot < slots; slot++) {
                detachSource(shared, slot);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes a vCPU the {@code index}-th of this controller.
     *
     * @return OK, ARGUMENT_INVALID for an index out of range, BUSY when it is taken
     */
    public HypError attach(VicTarget target, int index) {
        if (index < 0 || index >= maxVcpus) {
            return HypError.ARGUMENT_INVALID;
        }
        lock.lock();
        try {
            if (cpus[index] != null) {
                return HypError.BUSY;
            }
            cpus[index] = new CpuInterface(index, target, slots);
            for (int slot = FIRST_SPI; slot < slots; slot++) {
                reroute(slot);
            }
        } finally {
            lock.unlock();
        }
        target.mpidr(mapping.mpidr(index));
        return HypError.OK;
    }

    /** Takes a vCPU away; its private sources must be unbound. */
    public void detach(int index) {
        lock.lock();
        try {
            cpus[index] = null;
            for (int slot = FIRST_SPI; slot < slots; slot++) {
                reroute(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Turns the controller into that of a Java VM. Pending and future interrupts go to the handler given later. */
    public void becomeJava() {
        lock.lock();
        try {
            java = true;
        } finally {
            lock.unlock();
        }
    }

    /** Java VM: {@code newHandler} gets the INTID of every interrupt, on the asserting thread, without locks. */
    public void deliverTo(IntConsumer newHandler) {
        BitSet late;
        lock.lock();
        try {
            handler = newHandler;
            late = (BitSet) undelivered.clone();
            undelivered.clear();
        } finally {
            lock.unlock();
        }
        late.stream().forEach(slot -> newHandler.accept(intid(slot)));
    }

    @Override
    public HypError attachVdevice(Addrspace addrspace, long index, long base, long size, long flags) {
        if (index < 0 || index > maxVcpus) {
            return HypError.ARGUMENT_INVALID;
        }
        boolean isDistributor = index == 0;
        if (size != (isDistributor ? Distributor.SIZE : Redistributor.SIZE)) {
            return HypError.ARGUMENT_SIZE;
        }
        MmioDevice device = frame((int) index);
        if (device == null) {
            return HypError.IDLE;
        }
        if (!isDistributor && (flags & FLAG_LAST) != 0) {
            cpus[(int) index - 1].forcedLast = true;
        }
        return addrspace.addVdevice(new VdeviceRegion(base, size, device));
    }

    /** {@return GICD for 0, GICR of vCPU n - 1 for n; null when that is not attached} */
    MmioDevice frame(int index) {
        CpuInterface cpu = index == 0 ? null : cpus[index - 1];
        return index == 0 ? distributor : cpu == null ? null : new Redistributor(this, cpu);
    }

    /** {@return interrupts that the vCPU acknowledged; for a Java VM those handed over, counted at vCPU 0} */
    public long delivered(int index) {
        CpuInterface cpu = cpus[index];
        return cpu == null ? 0 : cpu.acknowledged + (index == 0 ? handedOver : 0);
    }

    // Sources.

    @Override
    public HypError bind(VirqSource source, int virq) {
        int slot = slot(virq & 0xFF_FFFF);
        return slot < FIRST_SPI || virq >>> 24 != 0 ? HypError.ARGUMENT_INVALID : bindLine(shared, slot, source, virq);
    }

    /** Binds a private source (a timer) of a vCPU. {@return as {@link #bind}} */
    public HypError bindPrivate(VirqSource source, int index, int ppi) {
        CpuInterface cpu = index < 0 || index >= maxVcpus ? null : cpus[index];
        return cpu == null || ppi < FIRST_PPI || ppi >= FIRST_SPI ? HypError.ARGUMENT_INVALID
                : bindLine(cpu.lines, ppi, source, index << 24 | ppi);
    }

    private HypError bindLine(Lines lines, int line, VirqSource source, int virq) {
        lock.lock();
        try {
            if (source.boundController() != null) {
                return HypError.VIRQ_BOUND;
            }
            if (lines.source[line] != null) {
                return HypError.BUSY;
            }
            lines.source[line] = source;
            source.attach(this, virq);
            return HypError.OK;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unbind(VirqSource source) {
        long wake;
        lock.lock();
        try {
            Lines lines = linesOf(source);
            if (lines == null) {
                return;
            }
            int virq = source.boundVirq();
            detachSource(lines, lineOf(virq));
            wake = refresh(lines, virq >>> 24, lineOf(virq));
        } finally {
            lock.unlock();
        }
        wake(wake);
    }

    private void detachSource(Lines lines, int line) {
        VirqSource source = lines.source[line];
        if (source != null) {
            lines.source[line] = null;
            lines.set(line, Lines.EDGE | Lines.LEVEL_SOURCE, false);
            source.attach(null, 0);
        }
    }

    @Override
    public void assertSource(VirqSource source, boolean edgeOnly) {
        long wake = 0;
        IntConsumer javaHandler = null;
        int slot;
        int virq;
        lock.lock();
        try {
            Lines lines = linesOf(source);
            if (lines == null) {
                return;
            }
            virq = source.boundVirq();
            slot = lineOf(virq);
            if (java) {
                javaHandler = handler;
                if (javaHandler == null) {
                    undelivered.set(slot);
                } else {
                    handedOver++;
                }
            } else {
                lines.assertions[slot]++;
                lines.set(slot, edgeOnly ? Lines.EDGE : Lines.EDGE | Lines.LEVEL_SOURCE, true);
                wake = refresh(lines, virq >>> 24, slot);
            }
        } finally {
            lock.unlock();
        }
        if (trace != null) {
            trace.virq(vmid(), slot < FIRST_SPI ? virq >>> 24 : -1, intid(slot));
        }
        if (javaHandler != null) {
            javaHandler.accept(intid(slot));
        }
        wake(wake);
    }

    private int vmid() {
        for (int index = 0; index < maxVcpus; index++) {
            CpuInterface cpu = cpus[index];
            if (cpu != null) {
                return cpu.target.vmid();
            }
        }
        return -1;
    }

    @Override
    public void clearSource(VirqSource source) {
        lock.lock();
        try {
            Lines lines = linesOf(source);
            if (lines == null) {
                return;
            }
            int virq = source.boundVirq();
            lines.set(lineOf(virq), Lines.EDGE | Lines.LEVEL_SOURCE, false);
            undelivered.clear(lineOf(virq));
            refresh(lines, virq >>> 24, lineOf(virq));
        } finally {
            lock.unlock();
        }
    }

    private int lineOf(int virq) {
        return slot(virq & 0xFF_FFFF);
    }

    /** {@return the bank that has this source now, or null} */
    private Lines linesOf(VirqSource source) {
        int virq = source.boundVirq();
        if (virq == -1 || source.boundController() != this) {
            return null;
        }
        int slot = lineOf(virq);
        CpuInterface cpu = slot >= FIRST_SPI ? null : cpus[virq >>> 24];
        Lines lines = slot >= FIRST_SPI ? shared : cpu == null ? null : cpu.lines;
        return lines != null && lines.source[slot] == source ? lines : null;
    }

    // CPU interface registers. On the vCPU's own thread.

    /** {@return whether the CPU interface has the register of this key for reading or writing} */
    public static boolean hasIcc(int key, boolean write) {
        IccRegister register = IccRegister.of(key);
        return register != null && register.allows(write);
    }

    /** Reads a register that {@link #hasIcc} accepts, for the vCPU of this index. */
    public long readIcc(int index, int key) {
        lock.lock();
        try {
            CpuInterface cpu = cpus[index];
            return switch (IccRegister.of(key)) {
                case PMR -> cpu.pmr;
                case IAR0 -> acknowledge(cpu, false);
                case IAR1 -> acknowledge(cpu, true);
                case HPPIR0 -> highestPending(cpu, false);
                case HPPIR1 -> highestPending(cpu, true);
                case BPR0 -> cpu.bpr0;
                case BPR1 -> cpu.bpr1;
                case AP0R0 -> cpu.ap0r & 0xFFFF_FFFFL;
                case AP1R0 -> cpu.ap1r & 0xFFFF_FFFFL;
                case RPR -> cpu.runningPriority();
                case CTLR -> cpu.readCtlr(hasExtendedRange());
                case SRE -> 7;
                case IGRPEN0 -> cpu.group0Enabled ? 1 : 0;
                case IGRPEN1 -> cpu.group1Enabled ? 1 : 0;
                case EOIR0, EOIR1, DIR, SGI0R, SGI1R, ASGI1R -> 0;
            };
        } finally {
            lock.unlock();
        }
    }

    /** Writes a register that {@link #hasIcc} accepts, for the vCPU of this index. */
    public void writeIcc(int index, int key, long value) {
        IccRegister register = IccRegister.of(key);
        switch (register) {
            case EOIR0, EOIR1 -> endOfInterrupt(index, (int) value & 0xFF_FFFF, register == IccRegister.EOIR1);
            case DIR -> {
                if (cpus[index].splitEoi()) {
                    deactivate(index, slot((int) value & 0xFF_FFFF));
                }
            }
            case SGI1R, ASGI1R, SGI0R -> sendSgi(index, value);
            default -> writePlainIcc(index, register, value);
        }
    }

    private void writePlainIcc(int index, IccRegister register, long value) {
        long wake;
        lock.lock();
        try {
            CpuInterface cpu = cpus[index];
            switch (register) {
                case PMR -> cpu.pmr = (int) value & CpuInterface.PRIORITY_MASK;
                case BPR0 -> cpu.writeBpr0(value);
                case BPR1 -> cpu.writeBpr1(value);
                case AP0R0 -> cpu.ap0r = (int) value;
                case AP1R0 -> cpu.ap1r = (int) value;
                case CTLR -> cpu.writeCtlr(value);
                case IGRPEN0 -> cpu.group0Enabled = (value & 1) != 0;
                case IGRPEN1 -> cpu.group1Enabled = (value & 1) != 0;
                default -> { }
            }
            wake = updateLines(cpu);
        } finally {
            lock.unlock();
        }
        wake(wake);
    }

    private int highestPending(CpuInterface cpu, boolean group1) {
        int slot = cpu.highestPending(this);
        return slot == CpuInterface.NONE || isGroup1(cpu, slot) != group1 ? SPURIOUS : intid(slot);
    }

    private int acknowledge(CpuInterface cpu, boolean group1) {
        int slot = cpu.highestPending(this);
        if (slot == CpuInterface.NONE || isGroup1(cpu, slot) != group1
                || !cpu.preempts(priority(cpu, slot), group1)) {
            return SPURIOUS;
        }
        Lines lines = bank(cpu, slot);
        lines.acknowledge(slot);
        cpu.activate(lines.priority[slot] & 0xFF, group1);
        cpu.acknowledged++;
        refresh(lines, cpu.index, slot);
        return intid(slot);
    }

    private void endOfInterrupt(int index, int intid, boolean group1) {
        int slot = slot(intid);
        if (slot == NOT_A_SLOT) {
            return;
        }
        boolean deactivates;
        long wake;
        lock.lock();
        try {
            CpuInterface cpu = cpus[index];
            cpu.dropPriority(group1);
            deactivates = !cpu.splitEoi();
            wake = updateLines(cpu);
        } finally {
            lock.unlock();
        }
        if (deactivates) {
            deactivate(index, slot);
        }
        wake(wake);
    }

    private void deactivate(int index, int slot) {
        if (slot == NOT_A_SLOT) {
            return;
        }
        checkPending(index, slot);
        long wake;
        lock.lock();
        try {
            Lines lines = bank(cpus[index], slot);
            lines.set(slot, Lines.ACTIVE, false);
            wake = refresh(lines, index, slot);
        } finally {
            lock.unlock();
        }
        wake(wake);
    }

    /** The lazy deassertion of level sources; the source is asked without the lock, it may have one of its own. */
    private void checkPending(int index, int slot) {
        VirqSource source;
        int assertions;
        boolean reasserted;
        lock.lock();
        try {
            Lines lines = bank(cpus[index], slot);
            source = lines.source[slot];
            if (source == null || !lines.is(slot, Lines.LEVEL_SOURCE) || lines.is(slot, Lines.EDGE_CONFIG)) {
                return;
            }
            assertions = lines.assertions[slot];
            reasserted = lines.is(slot, Lines.EDGE);
        } finally {
            lock.unlock();
        }
        if (source.checkPending(reasserted)) {
            return;
        }
        lock.lock();
        try {
            Lines lines = bank(cpus[index], slot);
            // A newer assertion keeps the level: a spurious interrupt is allowed, a lost one is not.
            if (lines.assertions[slot] == assertions && !reasserted) {
                lines.set(slot, Lines.LEVEL_SOURCE, false);
            }
            lines.set(slot, Lines.EDGE, lines.assertions[slot] != assertions);
        } finally {
            lock.unlock();
        }
    }

    private void sendSgi(int sender, long value) {
        int sgi = (int) (value >>> 24) & 15;
        boolean others = (value & SGI_IRM) != 0;
        int affinity = (int) (value >>> 48 & 0xFF) << 24 | (int) (value >>> 32 & 0xFF) << 16
                | (int) (value >>> 16 & 0xFF) << 8 | (int) (value >>> 44 & 15) << 4;
        int targets = (int) value & 0xFFFF;
        long wake = 0;
        lock.lock();
        try {
            for (int index = 0; index < maxVcpus; index++) {
                CpuInterface cpu = cpus[index];
                if (cpu == null) {
                    continue;
                }
                int own = mapping.affinity(index);
                boolean named = (own & ~15) == affinity && (targets >>> (own & 15) & 1) != 0;
                if (others ? index != sender : named) {
                    cpu.lines.set(sgi, Lines.EDGE, true);
                    wake |= refresh(cpu.lines, index, sgi);
                }
            }
        } finally {
            lock.unlock();
        }
        wake(wake);
    }

    /** Warm reset of a vCPU's CPU interface (power off, reset). */
    public void resetCpuInterface(int index) {
        lock.lock();
        try {
            cpus[index].reset();
            updateLines(cpus[index]);
        } finally {
            lock.unlock();
        }
    }

    // For the frames and interfaces of this package, with the lock held.

    /** Runs a register access under the lock and wakes whom it made interruptible. */
    void locked(Runnable access) {
        long wake = 0;
        lock.lock();
        try {
            access.run();
            for (int index = 0; index < maxVcpus; index++) {
                if (cpus[index] != null) {
                    wake |= updateLines(cpus[index]);
                }
            }
        } finally {
            lock.unlock();
        }
        wake(wake);
    }

    void lock() {
        lock.lock();
    }

    void unlock() {
        lock.unlock();
    }

    Lines shared() {
        return shared;
    }

    int spiCount() {
        return Math.min(maxVirqs, MAX_SPIS);
    }

    int extendedSpiCount() {
        return Math.max(maxVirqs - MAX_SPIS, 0);
    }

    boolean hasExtendedRange() {
        return maxVirqs > MAX_SPIS;
    }

    int affinity(int index) {
        return mapping.affinity(index);
    }

    /** {@return whether some index of this controller has these affinity fields, as in MPIDR_EL1} */
    public boolean knowsAffinity(long affinity) {
        for (int index = 0; index < maxVcpus; index++) {
            if (mapping.affinityBits(index) == affinity) {
                return true;
            }
        }
        return false;
    }

    boolean isLast(int index) {
        if (cpus[index] != null && cpus[index].forcedLast) {
            return true;
        }
        for (int later = index + 1; later < maxVcpus; later++) {
            if (cpus[later] != null) {
                return false;
            }
        }
        return true;
    }

    int groupEnables() {
        return groupEnables;
    }

    void groupEnables(int value) {
        groupEnables = value & 3;
    }

    boolean distributorEnables(int group) {
        return (groupEnables >>> group & 1) != 0;
    }

    long routerValue(int slot) {
        return routerValues[slot];
    }

    void routerValue(int slot, long value) {
        // Interrupt_Routing_Mode is RES0: no 1 of N. Affinity fields only.
        routerValues[slot] = value & 0xFF_00FF_FFFFL;
        reroute(slot);
    }

    /** Brings the candidate bits of 32 lines of a bank up to date. */
    void refreshRange(Lines lines, CpuInterface owner, int first, int count) {
        for (int line = first; line < Math.min(first + count, lines.count); line++) {
            mark(lines, owner == null ? routes[line] : owner.index, line);
        }
    }

    int priority(CpuInterface cpu, int slot) {
        return bank(cpu, slot).priority[slot] & 0xFF;
    }

    boolean isGroup1(CpuInterface cpu, int slot) {
        return bank(cpu, slot).is(slot, Lines.GROUP1);
    }

    private Lines bank(CpuInterface cpu, int slot) {
        return slot < FIRST_SPI ? cpu.lines : shared;
    }

    private void reroute(int slot) {
        int before = routes[slot];
        if (before >= 0 && cpus[before] != null) {
            cpus[before].candidate(slot, false);
        }
        long router = routerValues[slot];
        int affinity = (int) (router & 0xFF_FFFF) | (int) (router >>> 32) << 24;
        routes[slot] = NOWHERE;
        for (int index = 0; index < maxVcpus; index++) {
            if (cpus[index] != null && mapping.affinity(index) == affinity) {
                routes[slot] = index;
                mark(shared, index, slot);
                return;
            }
        }
    }

    /** Recomputes one line and the lines of the vCPU it goes to. {@return bit of a vCPU to wake, or 0} */
    private long refresh(Lines lines, int owner, int line) {
        int index = lines == shared ? routes[line] : owner;
        return mark(lines, index, line) ? updateLines(cpus[index]) : 0;
    }

    private boolean mark(Lines lines, int index, int line) {
        if (index < 0 || cpus[index] == null) {
            return false;
        }
        cpus[index].candidate(line, lines.candidate(line));
        return true;
    }

    /** {@return the vCPU's bit when it just became interruptible} */
    private long updateLines(CpuInterface cpu) {
        int slot = cpu.highestPending(this);
        boolean signalled = false;
        boolean group1 = false;
        if (slot != CpuInterface.NONE) {
            group1 = isGroup1(cpu, slot);
            signalled = cpu.preempts(priority(cpu, slot), group1);
        }
        boolean irq = signalled && group1;
        boolean fiq = signalled && !group1;
        if (irq == cpu.irq && fiq == cpu.fiq) {
            return 0;
        }
        boolean rises = irq && !cpu.irq || fiq && !cpu.fiq;
        cpu.irq = irq;
        cpu.fiq = fiq;
        cpu.target.interruptLines(irq, fiq);
        return rises ? 1L << cpu.index : 0;
    }

    private void wake(long vcpus) {
        for (long left = vcpus; left != 0; left &= left - 1) {
            CpuInterface cpu = cpus[Long.numberOfTrailingZeros(left)];
            if (cpu != null) {
                cpu.target.interruptPending();
            }
        }
    }

    /** {@return the slot of an INTID, or -1 when this controller does not have it} */
    int slot(int intid) {
        int slot = intid < SPI_END ? intid
                : intid >= FIRST_EXTENDED_SPI ? intid - FIRST_EXTENDED_SPI + SPI_END : NOT_A_SLOT;
        return slot >= 0 && slot < slots ? slot : NOT_A_SLOT;
    }

    private static int intid(int slot) {
        return slot < SPI_END ? slot : slot - SPI_END + FIRST_EXTENDED_SPI;
    }
}
