package gunyah.hyp.vic;

import gunyah.hyp.addrspace.MmioDevice;
import gunyah.hyp.vic.LineRegisters.Bank;

/** GICR: the redistributor of one vCPU, RD frame and SGI frame, 128 KiB (IHI 0069, 12.10 and 12.11). No LPIs. */
final class RedistributorFrame implements MmioDevice {
    static final long SIZE = 0x2_0000;

    private static final int SGI_FRAME = 0x1_0000;
    private static final int WAKER_PROCESSOR_SLEEP = 1 << 1;
    private static final int WAKER_CHILDREN_ASLEEP = 1 << 2;
    private static final int TYPER_LAST = 1 << 4;
    private static final int CONFIG_ALL_EDGE = 0xAAAA_AAAA;
    private static final Bank[] BANKS = Bank.values();

    private final int index;
    private final Redistributor redistributor;
    private final Lines lines;
    private final MpidrMapping mapping;
    private final Delivery delivery;

    RedistributorFrame(CpuInterface cpu, MpidrMapping mapping, Delivery delivery) {
        this.index = cpu.index;
        this.redistributor = cpu.redistributor;
        this.lines = redistributor.lines;
        this.mapping = mapping;
        this.delivery = delivery;
    }

    @Override
    public long read(int vcpuIndex, long offset, int sizeBytes) {
        delivery.begin();
        try {
            int register = (int) offset;
            if (register == 0x8 && sizeBytes == 8) {
                return typer();
            }
            if (isPriority(register)) {
                return LineRegisters.readPriority(lines, register - SGI_FRAME - 0x400, Math.min(sizeBytes, 4))
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
            if (isPriority(register)) {
                LineRegisters.writePriority(lines, register - SGI_FRAME - 0x400, Math.min(sizeBytes, 4), (int) value);
            } else if (sizeBytes == 4) {
                writeWord(register, (int) value);
            }
            delivery.signalAll();
        } finally {
            delivery.end();
        }
    }

    private long typer() {
        return (long) mapping.affinity(index) << 32 | (long) index << 8 | (isLast() ? TYPER_LAST : 0);
    }

    private boolean isLast() {
        return redistributor.forcedLast || delivery.isLast(index);
    }

    private int readWord(int register) {
        Bank bank = bank(register);
        if (bank != null) {
            return LineRegisters.readBits(bank, lines, 0);
        }
        return switch (register) {
            case 0x4 -> DistributorFrame.IIDR;
            case 0x8 -> (int) typer();
            case 0xC -> (int) (typer() >>> 32);
            case 0x14 -> redistributor.asleep ? WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP : 0;
            case 0xFFE8 -> DistributorFrame.PIDR2;
            case SGI_FRAME + 0xC00 -> CONFIG_ALL_EDGE;
            case SGI_FRAME + 0xC04 -> LineRegisters.readConfig(lines, 16);
            default -> 0;
        };
    }

    private void writeWord(int register, int value) {
        Bank bank = bank(register);
        if (bank != null) {
            LineRegisters.writeBits(bank, lines, 0, value);
            delivery.mark(lines, 0, Redistributor.PRIVATE_LINES);
            return;
        }
        switch (register) {
            case 0x14 -> redistributor.asleep = (value & WAKER_PROCESSOR_SLEEP) != 0;
            case SGI_FRAME + 0xC04 -> {
                LineRegisters.writeConfig(lines, 16, value);
                delivery.mark(lines, 16, 16);
            }
            default -> { }
        }
    }

    /** The first word of each bank, at the same offsets as in the distributor. */
    private static Bank bank(int register) {
        int offset = register - SGI_FRAME - 0x80;
        return offset >= 0 && offset < 0x380 && offset % 0x80 == 0 ? BANKS[offset / 0x80] : null;
    }

    private static boolean isPriority(int register) {
        return register >= SGI_FRAME + 0x400 && register < SGI_FRAME + 0x420;
    }
}
