package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * The EL1&amp;0 stage-1 translation: its control registers and the table walk, 4 KiB granule, 48-bit VA, 36-bit PA
 * (Arm ARM DDI 0487, D8.2 to D8.4). {@link #walk} leaves its result in the package-private fields, because it runs
 * millions of times and must not allocate. Hardware update of access and dirty flags is not implemented (and
 * ID_AA64MMFR1_EL1.HAFDBS says so), so walks never write. Owned by the vCPU's thread.
 */
final class Stage1 {
    static final long SCTLR_M = 1;
    static final long SCTLR_A = 1 << 1;
    static final long SCTLR_WXN = 1 << 19;

    /** Result of {@link #walk}: translated. */
    static final int OK = -1;
    /** Result of {@link #walk}: stage 2 refused the read of a descriptor at {@link #faultIpa}. */
    static final int STAGE2 = -2;

    private static final int TCR_EPD = 1 << 7;
    private static final long TCR_A1 = 1L << 22;
    private static final long TCR_AS = 1L << 36;
    private static final long TCR_TBI0 = 1L << 37;
    private static final long TCR_HPD0 = 1L << 41;
    private static final long TCR_TBID0 = 1L << 51;

    private static final long DESCRIPTOR_ADDRESS = 0x0000_FFFF_FFFF_F000L;
    private static final long AP_USER = 1L << 6;
    private static final long AP_READ_ONLY = 1L << 7;
    private static final long AF = 1L << 10;
    private static final long NON_GLOBAL = 1L << 11;
    private static final long PXN = 1L << 53;
    private static final long UXN = 1L << 54;
    private static final long PXN_TABLE = 1L << 59;
    private static final long UXN_TABLE = 1L << 60;
    private static final long AP_TABLE_NO_USER = 1L << 61;
    private static final long AP_TABLE_READ_ONLY = 1L << 62;

    private final Stage2Table stage2;
    private final PhysicalMemory memory;

    long sctlr;
    long tcr;
    long ttbr0;
    long ttbr1;
    long mair;
    private final Half low = new Half();
    private final Half high = new Half();
    private int paBits = 32;

    /** The translated address, low bits included. */
    long ipa;
    /** EL1 rights in bits 2:0 ({@link Access}), EL0 rights in bits 5:3. */
    int rights;
    /** EL0 may touch the page: what PAN looks at. */
    boolean user;
    /** The translation belongs to one ASID. */
    boolean nonGlobal;
    /** The eight MAIR bits of the page; zero (Device-nGnRnE) with the MMU off. */
    int attributes;
    /** SH field of the descriptor. */
    int shareability;
    /** Level of the last descriptor, 0..3; below 3 the entry is a block. */
    int level;
    /** Address of the descriptor stage 2 refused to read. */
    long faultIpa;
    /** Stage 2 maps the page of {@link #faultIpa} without the right to read. */
    boolean faultMapped;

    /** What TCR says about one half of the address space. */
    private static final class Half {
        int inputBits;
        int startLevel;
        long base;
        boolean disabled;
        boolean topByteIgnored;
        /** As {@link #topByteIgnored}, for instruction addresses. */
        boolean fetchIgnoresTopByte;
        boolean hierarchicalDisabled;

        void configure(int size, boolean walkDisabled, boolean ignoreTop, boolean dataOnly, boolean noHierarchy,
                long ttbr) {
            inputBits = 64 - Math.clamp(size, 16, 39);
            startLevel = 4 - (inputBits - 4) / 9;
            int tableBits = inputBits - (39 - 9 * startLevel) + 3;
            base = ttbr & 0x0000_FFFF_FFFF_FFFEL & -(1L << tableBits);
            disabled = walkDisabled;
            topByteIgnored = ignoreTop;
            fetchIgnoresTopByte = ignoreTop && !dataOnly;
            hierarchicalDisabled = noHierarchy;
        }
    }

    Stage1(Stage2Table stage2, PhysicalMemory memory) {
        this.stage2 = stage2;
        this.memory = memory;
        configure();
    }

    /** Re-reads the control registers after one of them was assigned. */
    void configure() {
        low.configure((int) tcr & 63, (tcr & TCR_EPD) != 0, (tcr & TCR_TBI0) != 0, (tcr & TCR_TBID0) != 0,
                (tcr & TCR_HPD0) != 0, ttbr0);
        high.configure((int) (tcr >>> 16) & 63, (tcr & TCR_EPD << 16) != 0, (tcr & TCR_TBI0 << 1) != 0,
                (tcr & TCR_TBID0 << 1) != 0, (tcr & TCR_HPD0 << 1) != 0, ttbr1);
        // IPS beyond the implemented PARange (36 bits) means the implemented size
        paBits = (tcr >>> 32 & 7) == 0 ? 32 : Stage2Table.IPA_BITS;
    }

    /** {@return the current ASID} */
    int asid() {
        long ttbr = (tcr & TCR_A1) != 0 ? ttbr1 : ttbr0;
        return (int) (ttbr >>> 48) & ((tcr & TCR_AS) != 0 ? 0xFFFF : 0xFF);
    }

    boolean enabled() {
        return (sctlr & SCTLR_M) != 0;
    }

    /** {@return whether the pointer's top byte takes no part in translation, as a data or an instruction address} */
    boolean topByteIgnored(long va, boolean fetch) {
        Half half = va << 8 < 0 ? high : low;
        return fetch ? half.fetchIgnoresTopByte : half.topByteIgnored;
    }

    /** {@return the size of the half of the address space that bit 55 of {@code va} selects, in address bits} */
    int inputBits(long va) {
        return (va << 8 < 0 ? high : low).inputBits;
    }

    /** {@return whether {@link #attributes} mean any Device type} */
    boolean device() {
        return (attributes & 0xF0) == 0;
    }

    /**
     * Translates without regard to rights; {@link #rights} and {@link #user} say what is allowed.
     *
     * @return {@link #OK}, {@link #STAGE2}, or a {@link Fault} status with its level
     */
    int walk(long va, boolean fetch) {
        return enabled() ? walkTables(va, fetch) : walkFlat(va, fetch);
    }

    private int walkFlat(long va, boolean fetch) {
        long address = topByteIgnored(va, fetch) ? va & -1L >>> 8 : va;
        if (address >>> Stage2Table.IPA_BITS != 0) {
            level = 0;
            return Fault.ADDRESS_SIZE;
        }
        ipa = address;
        rights = Access.RWX | Access.RWX << 3;
        user = false;
        nonGlobal = false;
        attributes = 0;
        shareability = 2;
        level = 3;
        return OK;
    }

    private int walkTables(long va, boolean fetch) {
        boolean upper = va << 8 < 0;
        Half half = upper ? high : low;
        long extended = topByteIgnored(va, fetch) ? va << 8 >> 8 : va;
        level = 0;
        if (half.disabled || extended >> half.inputBits != (upper ? -1 : 0)) {
            return Fault.TRANSLATION;
        }
        long table = half.base;
        if (table >>> paBits != 0) {
            return Fault.ADDRESS_SIZE;
        }
        level = half.startLevel;
        int shift = 39 - 9 * level;
        long indexMask = (1L << half.inputBits - shift) - 1;
        long hierarchy = 0;
        long descriptor;
        while (true) {
            long descriptorIpa = table | (va >>> shift & indexMask) << 3;
            long mapping = stage2.lookup(descriptorIpa);
            if (!Access.allows(Stage2Table.el1Access(mapping), Access.R)) {
                faultIpa = descriptorIpa;
                faultMapped = Stage2Table.isValid(mapping);
                return STAGE2;
            }
            descriptor = RAW.getLongAcquire(memory.hostAddress(Stage2Table.pa(mapping) | descriptorIpa & 4095));
            if ((descriptor & 1) == 0 || (descriptor & 2) == 0 && (level == 0 || level == 3)) {
                return Fault.TRANSLATION | level;
            }
            if (level == 3 || (descriptor & 2) == 0) {
                break;
            }
            table = descriptor & DESCRIPTOR_ADDRESS;
            if (table >>> paBits != 0) {
                return Fault.ADDRESS_SIZE | level;
            }
            hierarchy |= descriptor;
            level++;
            shift -= 9;
            indexMask = 511;
        }
        return leaf(va, descriptor, half.hierarchicalDisabled ? 0 : hierarchy, -(1L << shift));
    }

    private int leaf(long va, long descriptor, long hierarchy, long blockMask) {
        long output = descriptor & DESCRIPTOR_ADDRESS & blockMask;
        if (output >>> paBits != 0) {
            return Fault.ADDRESS_SIZE | level;
        }
        if ((descriptor & AF) == 0) {
            return Fault.ACCESS_FLAG | level;
        }
        ipa = output | va & ~blockMask & DESCRIPTOR_ADDRESS | va & 4095;
        attributes = (int) (mair >>> 8 * ((int) descriptor >>> 2 & 7)) & 0xFF;
        shareability = (int) descriptor >>> 8 & 3;
        nonGlobal = (descriptor & NON_GLOBAL) != 0;
        user = (descriptor & AP_USER) != 0 && (hierarchy & AP_TABLE_NO_USER) == 0;
        boolean writable = (descriptor & AP_READ_ONLY) == 0 && (hierarchy & AP_TABLE_READ_ONLY) == 0;
        boolean wxn = (sctlr & SCTLR_WXN) != 0;
        int el1 = Access.R | (writable ? Access.W : 0);
        // a page EL0 can write is never executable at EL1
        if ((descriptor & PXN) == 0 && (hierarchy & PXN_TABLE) == 0 && !(user && writable) && !(wxn && writable)) {
            el1 |= Access.X;
        }
        int el0 = user ? el1 & Access.RW : 0;
        if ((descriptor & UXN) == 0 && (hierarchy & UXN_TABLE) == 0 && !(wxn && user && writable)) {
            el0 |= Access.X;
        }
        rights = el1 | el0 << 3;
        return OK;
    }
}
