package gunyah.hyp.vic;

import gunyah.hyp.addrspace.MmioDevice;

/**
 * GICD: the distributor as its registers, 64 KiB. One security state, affinity routing always on. A read of a place
 * without a register gives zero; a write there, or an access of a size that the register does not have, ends as an
 * external abort, as in Gunyah.
 */
final class DistributorFrame implements MmioDevice {
    static final long SIZE = 0x1_0000;
    /** Architecture revision 3. */
    static final int PIDR2 = 0x30;
    /** Implementer 0x070, product 'G'. */
    static final int IIDR = 0x4700_0070;

    private static final int CTLR_ARE = 1 << 4;
    private static final int CTLR_DS = 1 << 6;
    private static final int TYPER_ESPI = 1 << 8;
    private static final int TYPER_MBIS = 1 << 16;
    private static final int TYPER_A3V = 1 << 24;
    private static final int TYPER_NO_1N = 1 << 25;
    private static final int TYPER_RSS = 1 << 26;
    private static final int ID_BITS = 9;
    private static final int ID_BITS_EXTENDED = 12;
    private static final int MESSAGE_INTID = 0x1FFF;
    private static final int BITS = 64;
    private static final int CONFIGS = 32;
    private static final int PRIORITIES = 8;
    private static final int ROUTERS = 1;

    private final Distributor distributor;
    private final Lines lines;
    private final VirqSources sources;
    private final Delivery delivery;

    DistributorFrame(Distributor distributor, VirqSources sources, Delivery delivery) {
        this.distributor = distributor;
        this.lines = distributor.lines;
        this.sources = sources;
        this.delivery = delivery;
    }

    private DistributorRegister at(long offset) {
        return DistributorRegister.at(offset, distributor.intids.extended());
    }

    @Override
    public boolean accepts(long offset, int sizeBytes) {
        DistributorRegister register = at(offset);
        return RegisterSpan.allows(register == null ? null : register.span, sizeBytes);
    }

    @Override
    public long read(int vcpuIndex, long offset, int sizeBytes) {
        DistributorRegister register = at(offset);
        delivery.begin();
        try {
            if (register == null || !register.span.readable()) {
                distributor.status.note(register == null ? AccessStatus.READ_RESERVED
                        : AccessStatus.READ_OF_WRITE_ONLY);
                return 0;
            }
            return switch (register) {
                case IROUTER, IROUTER_E -> readRouter(register, offset, sizeBytes);
                case IPRIORITYR, IPRIORITYR_E ->
                        LineRegisters.readPriority(lines, register.slot(offset, PRIORITIES), end(register), sizeBytes) & 0xFFFF_FFFFL;
                default -> readWord(register, offset) & 0xFFFF_FFFFL;
            };
        } finally {
            delivery.end();
        }
    }

    private int readWord(DistributorRegister register, long offset) {
        if (register.bank != null) {
            return LineRegisters.readBits(register.bank, lines, register.slot(offset, BITS), end(register));
        }
        return switch (register) {
            case CTLR -> distributor.groupEnables() | CTLR_ARE | CTLR_DS;
            case TYPER -> typer();
            case IIDR -> IIDR;
            case STATUSR -> distributor.status.bits();
            case ICFGR, ICFGR_E -> LineRegisters.readConfig(lines, register.slot(offset, CONFIGS), end(register));
            case PIDR2 -> PIDR2;
            default -> 0;
        };
    }

    private int typer() {
        Intids intids = distributor.intids;
        int value = (Intids.SPI_END + 31) / 32 - 1 | TYPER_MBIS | TYPER_A3V | TYPER_NO_1N | TYPER_RSS;
        value |= (intids.extended() ? ID_BITS_EXTENDED : ID_BITS) << 19;
        return intids.extended() ? value | TYPER_ESPI | (intids.extendedSpis() + 31) / 32 - 1 << 27 : value;
    }

    private long readRouter(DistributorRegister register, long offset, int sizeBytes) {
        int slot = register.slot(offset, ROUTERS);
        long value = slot < end(register) ? distributor.router(slot) : 0;
        return sizeBytes == 8 ? value : value >>> 8 * (offset & 4) & 0xFFFF_FFFFL;
    }

    @Override
    public boolean write(int vcpuIndex, long offset, int sizeBytes, long value) {
        DistributorRegister register = at(offset);
        if (register != null && register.bank != null) {
            writeBank(register, register.slot(offset, BITS), (int) value);
            return true;
        }
        delivery.begin();
        try {
            if (register == null || !register.span.writable()) {
                distributor.status.note(register == null ? AccessStatus.WRITE_RESERVED
                        : AccessStatus.WRITE_OF_READ_ONLY);
                return register != null;
            }
            writeOther(register, offset, sizeBytes, value);
            delivery.signalAll();
        } finally {
            delivery.end();
        }
        if (register == DistributorRegister.ICFGR || register == DistributorRegister.ICFGR_E) {
            sources.checkLevels(lines, register.slot(offset, CONFIGS), end(register), 0xFFFF);
        }
        return true;
    }

    /** Private lines are the redistributors'. */
    private void writeBank(DistributorRegister register, int slot, int value) {
        if (slot >= Intids.FIRST_SPI) {
            sources.write(register.bank, lines, slot, end(register), value);
        }
    }

    /** The slot after the last of a register array: the last registers are not full. */
    private int end(DistributorRegister register) {
        return register.extended ? lines.count : Intids.SPI_END;
    }

    private void writeOther(DistributorRegister register, long offset, int sizeBytes, long value) {
        switch (register) {
            case CTLR -> distributor.groupEnables((int) value);
            case STATUSR -> distributor.status.forget((int) value);
            case SETSPI_NSR -> message((int) value & MESSAGE_INTID, true);
            case CLRSPI_NSR -> message((int) value & MESSAGE_INTID, false);
            case IPRIORITYR, IPRIORITYR_E -> {
                int slot = register.slot(offset, PRIORITIES);
                if (slot >= Intids.FIRST_SPI) {
                    LineRegisters.writePriority(lines, slot, end(register), sizeBytes, (int) value);
                }
            }
            case ICFGR, ICFGR_E -> {
                int slot = register.slot(offset, CONFIGS);
                if (slot >= Intids.FIRST_SPI) {
                    LineRegisters.writeConfig(lines, slot, end(register), (int) value);
                    delivery.mark(lines, slot, 16);
                }
            }
            case IROUTER, IROUTER_E -> writeRouter(register, offset, sizeBytes, value);
            default -> { }
        }
    }

    private void message(int intid, boolean set) {
        int slot = distributor.intids.slot(intid);
        if (slot < Intids.FIRST_SPI) {
            return;
        }
        if (set) {
            lines.setPending(slot, Lines.LEVEL_MESSAGE);
        } else {
            lines.clearPending(slot, Lines.LEVEL_MESSAGE);
        }
        delivery.mark(lines, slot, 1);
    }

    private void writeRouter(DistributorRegister register, long offset, int sizeBytes, long value) {
        int slot = register.slot(offset, ROUTERS);
        if (slot < Intids.FIRST_SPI || slot >= end(register)) {
            return;
        }
        long old = distributor.router(slot);
        long merged = sizeBytes == 8 ? value
                : (offset & 4) == 0 ? old & ~0xFFFF_FFFFL | value & 0xFFFF_FFFFL : old & 0xFFFF_FFFFL | value << 32;
        distributor.router(slot, merged);
    }
}
