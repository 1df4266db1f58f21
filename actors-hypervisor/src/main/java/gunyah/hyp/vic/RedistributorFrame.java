package gunyah.hyp.vic;

import gunyah.hyp.addrspace.MmioDevice;

/**
 * GICR: the redistributor of one vCPU as its registers, RD frame and SGI frame, 128 KiB. Answers accesses that make no
 * sense as {@link DistributorFrame} does.
 */
final class RedistributorFrame implements MmioDevice {
    static final long SIZE = 0x2_0000;

    private static final int WAKER_PROCESSOR_SLEEP = 1 << 1;
    private static final int WAKER_CHILDREN_ASLEEP = 1 << 2;
    private static final int TYPER_LAST = 1 << 4;
    private static final int CONFIG_ALL_EDGE = 0xAAAA_AAAA;

    private final CpuInterface cpu;
    private final Redistributor redistributor;
    private final Lines lines;
    private final MpidrMapping mapping;
    private final VirqSources sources;
    private final Delivery delivery;

    RedistributorFrame(CpuInterface cpu, MpidrMapping mapping, VirqSources sources, Delivery delivery) {
        this.cpu = cpu;
        this.redistributor = cpu.redistributor;
        this.lines = redistributor.lines;
        this.mapping = mapping;
        this.sources = sources;
        this.delivery = delivery;
    }

    @Override
    public boolean accepts(long offset, int sizeBytes) {
        RedistributorRegister register = RedistributorRegister.at(offset);
        return RegisterSpan.allows(register == null ? null : register.span, sizeBytes);
    }

    @Override
    public long read(int vcpuIndex, long offset, int sizeBytes) {
        RedistributorRegister register = RedistributorRegister.at(offset);
        delivery.begin();
        try {
            if (register == null || !register.span.readable()) {
                redistributor.status.note(register == null ? AccessStatus.READ_RESERVED
                        : AccessStatus.READ_OF_WRITE_ONLY);
                return 0;
            }
            int fromStart = (int) offset - register.span.first();
            return switch (register) {
                case TYPER -> sizeBytes == 8 ? typer() : typer() >>> 8 * fromStart & 0xFFFF_FFFFL;
                case IPRIORITYR -> LineRegisters.readPriority(lines, fromStart, lines.count, sizeBytes) & 0xFFFF_FFFFL;
                default -> readWord(register) & 0xFFFF_FFFFL;
            };
        } finally {
            delivery.end();
        }
    }

    private long typer() {
        boolean last = redistributor.last == null ? delivery.isLast(cpu.index) : redistributor.last;
        return (long) mapping.affinity(cpu.index) << 32 | (long) cpu.index << 8 | (last ? TYPER_LAST : 0);
    }

    private int readWord(RedistributorRegister register) {
        if (register.bank != null) {
            return LineRegisters.readBits(register.bank, lines, 0, lines.count);
        }
        return switch (register) {
            case IIDR -> DistributorFrame.IIDR;
            case STATUSR -> redistributor.status.bits();
            case WAKER -> waker();
            case PIDR2 -> DistributorFrame.PIDR2;
            case ICFGR0 -> CONFIG_ALL_EDGE;
            case ICFGR1 -> LineRegisters.readConfig(lines, Intids.FIRST_PPI, lines.count);
            default -> 0;
        };
    }

    /** The sleep is one of the guest's word only: it must have disabled the groups, so nothing is held back here. */
    private int waker() {
        boolean quiescent = redistributor.asleep && !cpu.groupEnabled(false) && !cpu.groupEnabled(true);
        return (redistributor.asleep ? WAKER_PROCESSOR_SLEEP : 0) | (quiescent ? WAKER_CHILDREN_ASLEEP : 0);
    }

    @Override
    public boolean write(int vcpuIndex, long offset, int sizeBytes, long value) {
        RedistributorRegister register = RedistributorRegister.at(offset);
        if (register != null && register.bank != null) {
            sources.write(register.bank, lines, 0, lines.count, (int) value);
            return true;
        }
        delivery.begin();
        try {
            if (register == null || !register.span.writable()) {
                redistributor.status.note(register == null ? AccessStatus.WRITE_RESERVED
                        : AccessStatus.WRITE_OF_READ_ONLY);
                return register != null;
            }
            writeOther(register, (int) offset - register.span.first(), sizeBytes, (int) value);
            delivery.signal(cpu);
        } finally {
            delivery.end();
        }
        if (register == RedistributorRegister.ICFGR1) {
            sources.checkLevels(lines, Intids.FIRST_PPI, lines.count, 0xFFFF);
        }
        return true;
    }

    private void writeOther(RedistributorRegister register, int fromStart, int sizeBytes, int value) {
        switch (register) {
            case STATUSR -> redistributor.status.forget(value);
            case WAKER -> redistributor.asleep = (value & WAKER_PROCESSOR_SLEEP) != 0;
            case IPRIORITYR -> LineRegisters.writePriority(lines, fromStart, lines.count, sizeBytes, value);
            case ICFGR1 -> {
                LineRegisters.writeConfig(lines, Intids.FIRST_PPI, lines.count, value);
                delivery.mark(lines, Intids.FIRST_PPI, 16);
            }
            default -> { }
        }
    }
}
