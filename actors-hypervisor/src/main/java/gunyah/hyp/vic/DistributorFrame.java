package gunyah.hyp.vic;

import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.vic.LineRegisters.Bank;

/**
 * GICD: the distributor frame, 64 KiB (IHI 0069, 12.9). One security state, affinity routing always on; legacy and
 * unimplemented registers read as zero and ignore writes.
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
    private static final Bank[] BANKS = Bank.values();

    private final Distributor distributor;
    private final Lines lines;
    private final Delivery delivery;

    DistributorFrame(Distributor distributor, Delivery delivery) {
        this.distributor = distributor;
        this.lines = distributor.lines;
        this.delivery = delivery;
    }

    @Override
    public long read(int vcpuIndex, long offset, int sizeBytes) {
        delivery.begin();
        try {
            if (isRouter(offset)) {
                long value = readRouter(offset & ~7);
                return sizeBytes == 8 ? value : value >>> 8 * (offset & 7) & 0xFFFF_FFFFL;
            }
            int register = (int) offset;
            if (isPriority(register)) {
                return LineRegisters.readPriority(lines, priorityLine(register), Math.min(sizeBytes, 4))
                        & 0xFFFF_FFFFL;
            }
            long word = readWord(register & ~3) & 0xFFFF_FFFFL;
            return word >>> 8 * (register & 3) & (sizeBytes >= 4 ? -1L : (1L << 8 * sizeBytes) - 1);
        } finally {
            delivery.end();
        }
    }

    @Override
    public void write(int vcpuIndex, long offset, int sizeBytes, long value) {
        int register = (int) offset;
        delivery.begin();
        try {
            if (isRouter(offset)) {
                writeRouter(offset, sizeBytes, value);
            } else if (isPriority(register)) {
                int line = priorityLine(register);
                LineRegisters.writePriority(lines, line, Math.min(sizeBytes, 4), (int) value);
            } else if (sizeBytes == 4) {
                writeWord(register, (int) value);
            }
            delivery.signalAll();
        } finally {
            delivery.end();
        }
    }

    private int readWord(int register) {
        Bank bank = bank(register);
        if (bank != null) {
            int line = bankLine(register);
            return line < 0 ? 0 : LineRegisters.readBits(bank, lines, line);
        }
        if (isConfig(register)) {
            return LineRegisters.readConfig(lines, configLine(register));
        }
        return switch (register) {
            case 0x0 -> distributor.groupEnables() | CTLR_ARE | CTLR_DS;
            case 0x4 -> typer();
            case 0x8 -> IIDR;
            case 0xFFE8 -> PIDR2;
            default -> 0;
        };
    }

    private int typer() {
        int extended = distributor.intids.extendedSpis();
        int value = (distributor.intids.spis() + 31) / 32 | TYPER_MBIS | TYPER_A3V | TYPER_NO_1N | TYPER_RSS;
        value |= (extended > 0 ? ID_BITS_EXTENDED : ID_BITS) << 19;
        return extended > 0 ? value | TYPER_ESPI | (extended + 31) / 32 - 1 << 27 : value;
    }

    private void writeWord(int register, int value) {
        Bank bank = bank(register);
        if (bank != null) {
            int line = bankLine(register);
            if (line >= 0) {
                LineRegisters.writeBits(bank, lines, line, value);
                delivery.mark(lines, line, 32);
            }
            return;
        }
        if (isConfig(register)) {
            int line = configLine(register);
            LineRegisters.writeConfig(lines, line, value);
            delivery.mark(lines, line, 16);
            return;
        }
        switch (register) {
            case 0x0 -> distributor.groupEnables(value);
            case 0x40, 0x50 -> message(value, true);
            case 0x48, 0x58 -> message(value, false);
            default -> { }
        }
    }

    /** GICD_SETSPI and GICD_CLRSPI. */
    private void message(int intid, boolean set) {
        int slot = distributor.intids.slot(intid & 0x1FFF);
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

    /** Banks of 0x80 bytes from 0x80 on; the extended ones of 0x200 bytes from 0x1000 on. */
    private static Bank bank(int register) {
        if (register >= 0x80 && register < 0x400) {
            return BANKS[(register - 0x80) / 0x80];
        }
        if (register >= 0x1000 && register < 0x1E00) {
            // IGROUPRnE, ISENABLERnE, ... follow each other in the same order.
            return BANKS[(register - 0x1000) / 0x200];
        }
        return null;
    }

    private static int bankLine(int register) {
        if (register < 0x1000) {
            int line = (register & 0x7F) * 8;
            // Private lines are the redistributors'.
            return line < Intids.FIRST_SPI ? -1 : line;
        }
        int word = (register & 0x1FF) / 4;
        return word * 32 < Vic.MAX_EXTENDED_SPIS ? Intids.SPI_END + word * 32 : -1;
    }

    private static boolean isPriority(int register) {
        return register >= 0x420 && register < 0x7FC || register >= 0x2000 && register < 0x2400;
    }

    private static int priorityLine(int register) {
        return register < 0x1000 ? register - 0x400 : Intids.SPI_END + register - 0x2000;
    }

    private static boolean isConfig(int register) {
        return register >= 0xC08 && register < 0xD00 || register >= 0x3000 && register < 0x3100;
    }

    private static int configLine(int register) {
        return register < 0x1000 ? (register - 0xC00) * 4 : Intids.SPI_END + (register - 0x3000) * 4;
    }

    private static boolean isRouter(long offset) {
        return offset >= 0x6100 && offset < 0x7FE0 || offset >= 0x8000 && offset < 0xA000;
    }

    private int routerSlot(long offset) {
        int slot = offset < 0x8000 ? (int) (offset - 0x6000) / 8 : Intids.SPI_END + (int) (offset - 0x8000) / 8;
        return slot < lines.count ? slot : -1;
    }

    private long readRouter(long offset) {
        int slot = routerSlot(offset);
        return slot < 0 ? 0 : distributor.router(slot);
    }

    private void writeRouter(long offset, int sizeBytes, long value) {
        int slot = routerSlot(offset);
        if (slot < 0 || sizeBytes < 4) {
            return;
        }
        long old = distributor.router(slot);
        long merged = sizeBytes == 8 ? value
                : (offset & 4) == 0 ? old & ~0xFFFF_FFFFL | value & 0xFFFF_FFFFL : old & 0xFFFF_FFFFL | value << 32;
        distributor.router(slot, merged);
    }
}
