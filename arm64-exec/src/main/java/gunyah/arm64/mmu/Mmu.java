package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * Address translation and every data access of one vCPU, both stages. Values are little endian and zero extended.
 * An access that cannot be done throws the CPU's {@link Abort}. Used by the vCPU's thread only.
 */
public final class Mmu {
    private final CpuState state;
    private final Stage2Table stage2;
    private final PhysicalMemory memory;
    private final Abort abort;
    private int fetchGeneration;

    public Mmu(CpuState state, Stage2Table stage2, PhysicalMemory memory, Abort abort) {
        this.state = state;
        this.stage2 = stage2;
        this.memory = memory;
        this.abort = abort;
    }

    public int read8(long va) {
        return RAW.getByte(hostForRead(va, 1)) & 0xFF;
    }

    public int read16(long va) {
        return (va & 4095) > 4094 ? read8(va) | read8(va + 1) << 8 : RAW.getShort(hostForRead(va, 2)) & 0xFFFF;
    }

    public int read32(long va) {
        return (va & 4095) > 4092 ? read16(va) | read16(va + 2) << 16 : RAW.getInt(hostForRead(va, 4));
    }

    public long read64(long va) {
        return (va & 4095) > 4088 ? read32(va) & 0xFFFF_FFFFL | (long) read32(va + 4) << 32
                : RAW.getLong(hostForRead(va, 8));
    }

    public void write8(long va, int value) {
        RAW.putByte(hostForWrite(va, 1), (byte) value);
    }

    public void write16(long va, int value) {
        RAW.putShort(hostForWrite(va, 2), (short) value);
    }

    public void write32(long va, int value) {
        RAW.putInt(hostForWrite(va, 4), value);
    }

    public void write64(long va, long value) {
        RAW.putLong(hostForWrite(va, 8), value);
    }

    /** Reads {@code 1 << sizeLog2} bytes with EL0 rights (LDTR). */
    public long readUnprivileged(long va, int sizeLog2) {
        return switch (sizeLog2) {
            case 0 -> read8(va);
            case 1 -> read16(va);
            case 2 -> read32(va) & 0xFFFF_FFFFL;
            default -> read64(va);
        };
    }

    /** Writes {@code 1 << sizeLog2} bytes with EL0 rights (STTR). */
    public void writeUnprivileged(long va, int sizeLog2, long value) {
        switch (sizeLog2) {
            case 0 -> write8(va, (int) value);
            case 1 -> write16(va, (int) value);
            case 2 -> write32(va, (int) value);
            default -> write64(va, value);
        }
    }

    /**
     * Translates an access that lies inside one page, for atomic and ordered accesses.
     *
     * @param sizeBytes 1 to 4096; {@code va .. va + sizeBytes} must not cross a page
     * @return the host address to read
     */
    public long hostForRead(long va, int sizeBytes) {
        return host(va, Access.R);
    }

    /** As {@link #hostForRead}, for a write or a read-modify-write. */
    public long hostForWrite(long va, int sizeBytes) {
        return host(va, Access.W);
    }

    /** {@return the host address of the instruction at {@code va}} Throws an instruction abort. */
    public long hostForFetch(long va) {
        return host(va, Access.X);
    }

    private long host(long va, int access) {
        long entry = stage2.lookup(va);
        if (!Stage2Table.isValid(entry) || !Access.allows(Stage2Table.el1Access(entry), access)) {
            abort.stage2 = true;
            abort.instruction = access == Access.X;
            abort.far = va;
            abort.ipa = va;
            abort.access = access;
            abort.mapped = Stage2Table.isValid(entry);
            abort.walk = false;
            throw abort;
        }
        return memory.hostAddress(Stage2Table.pa(entry) + (va & 4095));
    }

    public static final long TLBI_ALL = 0;

    /** Applies TLB maintenance. */
    public void invalidate(long op, long operand) {
        fetchGeneration++;
    }

    /** {@return a number that changes whenever the result of {@link #hostForFetch} may have} */
    public int fetchGeneration() {
        return fetchGeneration;
    }

    /** Raises the alignment fault of an access at {@code va}. */
    public void alignmentFault(long va, boolean write) {
        abort.stage2 = false;
        abort.instruction = false;
        abort.far = va;
        abort.iss = 0x21 | (write ? 1 << 6 : 0);
        throw abort;
    }
}
