package gunyah.hyp.vic;

/**
 * Accesses of vCPUs to the system registers of their CPU interfaces, each on its vCPU's own thread. An access takes the
 * controller's lock once; a deactivation that has to ask a level source takes it again after the answer.
 */
final class IccAccess {
    private final Distributor distributor;
    private final MpidrMapping mapping;
    private final VirqSources sources;
    private final Delivery delivery;

    IccAccess(Distributor distributor, MpidrMapping mapping, VirqSources sources, Delivery delivery) {
        this.distributor = distributor;
        this.mapping = mapping;
        this.sources = sources;
        this.delivery = delivery;
    }

    long read(int index, IccRegister register) {
        delivery.begin();
        try {
            CpuInterface cpu = delivery.cpu(index);
            return switch (register) {
                case PMR -> cpu.priorities.mask();
                case IAR0 -> acknowledge(cpu, false);
                case IAR1 -> acknowledge(cpu, true);
                case HPPIR0 -> cpu.highestPending(false);
                case HPPIR1 -> cpu.highestPending(true);
                case BPR0 -> cpu.priorities.binaryPoint(false);
                case BPR1 -> cpu.priorities.binaryPoint(true);
                case AP0R0 -> cpu.priorities.active(false);
                case AP1R0 -> cpu.priorities.active(true);
                case RPR -> cpu.priorities.running();
                case CTLR -> cpu.control();
                case SRE -> 7;
                case IGRPEN0 -> cpu.groupEnabled(false) ? 1 : 0;
                case IGRPEN1 -> cpu.groupEnabled(true) ? 1 : 0;
                case EOIR0, EOIR1, DIR, SGI0R, SGI1R, ASGI1R -> 0;
            };
        } finally {
            delivery.end();
        }
    }

    private int acknowledge(CpuInterface cpu, boolean group1) {
        int slot = cpu.acknowledge(group1);
        if (slot == Candidates.NONE) {
            return Intids.SPURIOUS;
        }
        delivery.refresh(cpu.lines(slot), slot);
        return Intids.intid(slot);
    }

    void write(int index, IccRegister register, long value) {
        int ended = Candidates.NONE;
        CpuInterface cpu = delivery.cpu(index);
        delivery.begin();
        try {
            switch (register) {
                case PMR -> cpu.priorities.mask(value);
                case BPR0 -> cpu.priorities.binaryPoint(false, value);
                case BPR1 -> cpu.priorities.binaryPoint(true, value);
                case AP0R0 -> cpu.priorities.active(false, value);
                case AP1R0 -> cpu.priorities.active(true, value);
                case CTLR -> cpu.control(value);
                case IGRPEN0 -> cpu.groupEnabled(false, (value & 1) != 0);
                case IGRPEN1 -> cpu.groupEnabled(true, (value & 1) != 0);
                case EOIR0, EOIR1 -> ended = endOfInterrupt(cpu, (int) value, register == IccRegister.EOIR1);
                case DIR -> ended = deactivate(cpu, slot((int) value));
                case SGI1R, ASGI1R, SGI0R -> send(index, new SgiRequest(value, register == IccRegister.SGI1R));
                case IAR0, IAR1, HPPIR0, HPPIR1, RPR, SRE -> { }
            }
            delivery.signal(cpu);
        } finally {
            delivery.end();
        }
        if (ended != Candidates.NONE) {
            sources.deactivate(cpu.lines(ended), ended);
        }
    }

    private int slot(int register) {
        return distributor.intids.slot(register & 0xFF_FFFF);
    }

    /** {@return the slot that is left to deactivate, or NONE} */
    private int endOfInterrupt(CpuInterface cpu, int register, boolean group1) {
        int slot = slot(register);
        if (slot == Intids.NOT_A_SLOT) {
            return Candidates.NONE;
        }
        cpu.priorities.drop(group1);
        return cpu.splitEoi() ? Candidates.NONE : deactivate(cpu, slot);
    }

    /** {@return as {@link #endOfInterrupt}} */
    private int deactivate(CpuInterface cpu, int slot) {
        if (slot == Intids.NOT_A_SLOT) {
            return Candidates.NONE;
        }
        Lines lines = cpu.lines(slot);
        return !lines.is(slot, Lines.ACTIVE) || sources.deactivateAtOnce(lines, slot) ? Candidates.NONE : slot;
    }

    private void send(int sender, SgiRequest request) {
        for (int index = 0; index < Vic.MAX_VCPUS; index++) {
            CpuInterface cpu = delivery.cpu(index);
            if (cpu != null && request.reaches(mapping.affinity(index), index == sender)
                    && (request.group1() || !cpu.isGroup1(request.intid()))) {
                Lines lines = cpu.redistributor.lines;
                lines.set(request.intid(), Lines.EDGE, true);
                delivery.refresh(lines, request.intid());
            }
        }
    }

    /** Warm reset of a vCPU's CPU interface (power off, reset). */
    void reset(int index) {
        delivery.begin();
        try {
            CpuInterface cpu = delivery.cpu(index);
            cpu.reset();
            delivery.signal(cpu);
        } finally {
            delivery.end();
        }
    }
}
