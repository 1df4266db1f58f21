package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * The EL1&amp;0 stage-1 translation: its control registers and the table walk, granules of 4, 16 and 64 KiB, 48-bit VA,
 * 36-bit PA (Arm ARM DDI 0487, D8.2 to D8.5). {@link #walk} leaves its result in the package-private fields, because it
 * runs millions of times and must not allocate; it does not write, {@link #markUsed} then sets the access flag and the
 * dirty state of the descriptor if TCR_EL1 says that hardware does. Owned by the vCPU's thread.
 */
final class Stage1 {
    static final long SCTLR_M = 1;
    static final long SCTLR_A = 1 << 1;
    static final long SCTLR_WXN = 1 << 19;

    /** Result of {@link #walk}: translated. */
    static final int OK = -1;
    /** Result of {@link #walk}: stage 2 refused the read of a descriptor at {@link #faultIpa}. */
    static final int STAGE2 = -2;

    /** Result of {@link #markUsed}: somebody else changed the descriptor, the walk must be done again. */
    static final int AGAIN = -3;

    private static final int TCR_EPD = 1 << 7;
    private static final long TCR_A1 = 1L << 22;
    private static final long TCR_AS = 1L << 36;
    private static final long TCR_TBI0 = 1L << 37;
    private static final long TCR_HA = 1L << 39;
    private static final long TCR_HD = 1L << 40;
    private static final long TCR_HPD0 = 1L << 41;
    private static final long TCR_TBID0 = 1L << 51;

    private static final long DESCRIPTOR_ADDRESS = 0x0000_FFFF_FFFF_F000L;
    private static final long AP_USER = 1L << 6;
    private static final long AP_READ_ONLY = 1L << 7;
    private static final long AF = 1L << 10;
    private static final long NON_GLOBAL = 1L << 11;
    private static final long GUARDED = 1L << 50;
    private static final long DBM = 1L << 51;
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
    private boolean setsAccess;
    private boolean setsDirty;
    private boolean otherGranules;
    private boolean smallTables;
    private boolean guardedPages;

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
    /** Branches by register may go to some instructions of the page only (FEAT_BTI). */
    boolean guarded;
    /** SH field of the descriptor. */
    int shareability;
    /** Level of the last descriptor, 0..3; below 3 the entry is a block. */
    int level;
    /** Address bits inside the page or block. */
    int pageBits;
    /** The page is writable and clean: a write makes it dirty, by {@link #markUsed}. */
    boolean clean;
    private boolean unaccessed;
    private long leaf;
    private long leafIpa;
    private long leafHost;
    /** Address of the descriptor stage 2 refused to read. */
    long faultIpa;
    /** Stage 2 maps the page of {@link #faultIpa} without the right to read. */
    boolean faultMapped;

    /** What TCR says about one half of the address space. */
    private static final class Half {
        /** Address bits inside a page: 12, 14 or 16. */
        int granule = 12;
        int inputBits;
        int startLevel;
        long base;
        /** The bits of a descriptor that are an address. */
        long addressMask;
        boolean disabled;
        boolean topByteIgnored;
        /** As {@link #topByteIgnored}, for instruction addresses. */
        boolean fetchIgnoresTopByte;
        boolean hierarchicalDisabled;

        /** {@return the address bits below the index into a table of that level} */
        int shift(int level) {
            return granule + (3 - level) * (granule - 3);
        }

        boolean allowsBlock(int level) {
            return level == 2 || level == 1 && granule == 12;
        }

        void configure(int size, int granuleBits, int largestSize, boolean walkDisabled, boolean ignoreTop,
                boolean dataOnly, boolean noHierarchy, long ttbr) {
            granule = granuleBits;
            inputBits = 64 - Math.clamp(size, 16, largestSize);
            startLevel = 3 - (inputBits - granule - 1) / (granule - 3);
            int tableBits = Math.max(6, inputBits - shift(startLevel) + 3);
            base = ttbr & 0x0000_FFFF_FFFF_FFFEL & -(1L << tableBits);
            addressMask = DESCRIPTOR_ADDRESS & -(1L << granule);
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

    /** Says which options the CPU has: granules of 16 and 64 KiB, spaces of less than 25 bits, guarded pages. */
    void options(boolean granules, boolean tables, boolean guards) {
        otherGranules = granules;
        smallTables = tables;
        guardedPages = guards;
        configure();
    }

    /** Re-reads the control registers after one of them was assigned. */
    void configure() {
        int lowGranule = switch (otherGranules ? (int) (tcr >>> 14) & 3 : 0) {
            case 1 -> 16;
            case 2 -> 14;
            default -> 12;
        };
        int highGranule = switch (otherGranules ? (int) (tcr >>> 30) & 3 : 0) {
            case 1 -> 14;
            case 3 -> 16;
            default -> 12;
        };
        low.configure((int) tcr & 63, lowGranule, largestSize(lowGranule), (tcr & TCR_EPD) != 0, (tcr & TCR_TBI0) != 0,
                (tcr & TCR_TBID0) != 0, (tcr & TCR_HPD0) != 0, ttbr0);
        high.configure((int) (tcr >>> 16) & 63, highGranule, largestSize(highGranule), (tcr & TCR_EPD << 16) != 0,
                (tcr & TCR_TBI0 << 1) != 0, (tcr & TCR_TBID0 << 1) != 0, (tcr & TCR_HPD0 << 1) != 0, ttbr1);
        // IPS beyond the implemented PARange (36 bits) means the implemented size
        paBits = (tcr >>> 32 & 7) == 0 ? 32 : Stage2Table.IPA_BITS;
        setsAccess = (tcr & TCR_HA) != 0;
        setsDirty = setsAccess && (tcr & TCR_HD) != 0;
    }

    /** {@return the largest TnSZ} */
    private int largestSize(int granule) {
        return !smallTables ? 39 : granule == 16 ? 47 : 48;
    }

    /** {@return the address bits inside a page of the half that {@code va} belongs to} */
    int granule(long va) {
        return (va << 8 < 0 ? high : low).granule;
    }

    /** {@return another walker with the same registers} */
    Stage1 copy() {
        Stage1 copy = new Stage1(stage2, memory);
        copy.sctlr = sctlr;
        copy.tcr = tcr;
        copy.ttbr0 = ttbr0;
        copy.ttbr1 = ttbr1;
        copy.mair = mair;
        copy.options(otherGranules, smallTables, guardedPages);
        return copy;
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
        guarded = false;
        nonGlobal = false;
        attributes = 0;
        shareability = 2;
        level = 3;
        pageBits = 12;
        unaccessed = false;
        clean = false;
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
        int stride = half.granule - 3;
        int shift = half.shift(level);
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
            long host = memory.hostAddress(Stage2Table.pa(mapping) | descriptorIpa & 4095);
            descriptor = RAW.getLongAcquire(host);
            if ((descriptor & 1) == 0 || (descriptor & 2) == 0 && !half.allowsBlock(level)) {
                return Fault.TRANSLATION | level;
            }
            if (level == 3 || (descriptor & 2) == 0) {
                leafIpa = descriptorIpa;
                leafHost = host;
                break;
            }
            table = descriptor & half.addressMask;
            if (table >>> paBits != 0) {
                return Fault.ADDRESS_SIZE | level;
            }
            hierarchy |= descriptor;
            level++;
            shift -= stride;
            indexMask = (1L << stride) - 1;
        }
        leaf = descriptor;
        pageBits = shift;
        return leaf(va, descriptor, half.hierarchicalDisabled ? 0 : hierarchy, half.addressMask);
    }

    private int leaf(long va, long descriptor, long hierarchy, long addressMask) {
        long output = descriptor & addressMask & -1L << pageBits;
        if (output >>> paBits != 0) {
            return Fault.ADDRESS_SIZE | level;
        }
        unaccessed = (descriptor & AF) == 0;
        if (unaccessed && !setsAccess) {
            return Fault.ACCESS_FLAG | level;
        }
        ipa = output | va & ~(-1L << pageBits);
        attributes = (int) (mair >>> 8 * ((int) descriptor >>> 2 & 7)) & 0xFF;
        shareability = (int) descriptor >>> 8 & 3;
        guarded = guardedPages && (descriptor & GUARDED) != 0;
        nonGlobal = (descriptor & NON_GLOBAL) != 0;
        user = (descriptor & AP_USER) != 0 && (hierarchy & AP_TABLE_NO_USER) == 0;
        clean = setsDirty && (descriptor & (AP_READ_ONLY | DBM)) == (AP_READ_ONLY | DBM);
        boolean writable = ((descriptor & AP_READ_ONLY) == 0 || clean) && (hierarchy & AP_TABLE_READ_ONLY) == 0;
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

    /**
     * Sets the access flag of the descriptor that the last successful {@link #walk} ended with, and for a write its
     * dirty state, unless that is done already or not for hardware to do. After the rights were checked.
     *
     * @return {@link #OK}, {@link #AGAIN}, or {@link #STAGE2} when stage 2 refuses to write the descriptor
     */
    int markUsed(boolean write) {
        long updated = leaf | AF;
        if (write && clean) {
            updated &= ~AP_READ_ONLY;
        } else if (!unaccessed) {
            return OK;
        }
        long mapping = stage2.lookup(leafIpa);
        if (!Access.allows(Stage2Table.el1Access(mapping), Access.W)) {
            faultIpa = leafIpa;
            faultMapped = Stage2Table.isValid(mapping);
            return STAGE2;
        }
        if (RAW.compareAndExchangeLong(leafHost, leaf, updated) != leaf) {
            return AGAIN;
        }
        clean &= !write;
        unaccessed = false;
        return OK;
    }
}
