package gunyah.arm64.mmu;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.OptionalInt;

/**
 * Address translation and every data access of one vCPU, both stages. Values are little endian and zero extended.
 * An access that cannot be done throws the CPU's {@link Abort}. Used by the vCPU's thread only.
 *
 * <p>The fast path of an access compares one tag of the {@link Tlb}; a page crossing, a missing right, Device memory,
 * a page with decoded code or an enabled alignment check never matches and takes the slow path. Whoever changes
 * PSTATE.EL, PSTATE.PAN or PSTATE.UAO calls {@link #contextChanged}; whoever may run after the owner of stage 2 took
 * something away calls {@link #synchronizeStage2} before guest code goes on.
 */
public final class Mmu {
    /** {@link #invalidate}: everything. */
    public static final int TLBI_ALL = 0;
    /** {@link #invalidate}: one VA of one ASID, and global entries of that VA. */
    public static final int TLBI_VA = 1;
    /** {@link #invalidate}: the non-global entries of one ASID. */
    public static final int TLBI_ASID = 2;
    /** {@link #invalidate}: one VA, any ASID. */
    public static final int TLBI_VA_ALL_ASID = 3;
    /** {@link #invalidate}: a range of VAs, any ASID. */
    public static final int TLBI_RANGE = 4;

    /** {@link #translateForOwner}: stage 1 does not map or allow it. */
    public static final long STAGE1_FAULT = -1;
    /** {@link #translateForOwner}: stage 2 maps the page without the right. */
    public static final long STAGE2_PERMISSION = -2;
    /** {@link #translateForOwner}: stage 2 does not map the page (or a page of the stage-1 tables). */
    public static final long STAGE2_UNMAPPED = -3;

    /** MAIR attribute: normal, inner and outer non-cacheable. */
    private static final int NON_CACHEABLE = 0x44;
    /** Ranges of more pages drop everything of their half. */
    private static final int RANGE_BY_PAGE = 512;

    /** Bytes that DC ZVA zeroes. */
    public static final int ZERO_BLOCK = 64;

    private final CpuState state;
    private final Stage2Table stage2;
    private final PhysicalMemory memory;
    private final Abort abort;
    private final Stage1 stage1;
    private final Tlb tlb = new Tlb();
    private CodePageOracle code = CodePageOracle.NONE;
    private Watchpoints watchpoints = Watchpoints.NONE;
    /** The TLB bank of ordinary accesses now. */
    private long[] bank = tlb.el1;
    /** The bank of LDTR and STTR. */
    private long[] unprivilegedBank = tlb.el0;
    private int stage2Epoch;
    private int fetchGeneration;
    /** ISS bits to add to a fault of the access under way. */
    private int maintenance;

    /** Memory of a trial under way, else null. */
    private TrialMemory trial;

    private long misses;
    private long fills;
    private long flushes;

    public Mmu(CpuState state, Stage2Table stage2, PhysicalMemory memory, Abort abort) {
        this.state = state;
        this.stage2 = stage2;
        this.memory = memory;
        this.abort = abort;
        this.stage1 = new Stage1(stage2, memory);
        this.stage2Epoch = stage2.epoch();
    }

    /** Says which options the CPU has: granules of 16 and 64 KiB, spaces of less than 25 bits, guarded pages. */
    public void options(boolean otherGranules, boolean smallTables, boolean guardedPages) {
        stage1.options(otherGranules, smallTables, guardedPages);
    }

    /** Names who must hear of stores to decoded code; drops every cached translation. */
    public void watchCode(CodePageOracle oracle) {
        code = oracle;
        flushAll();
    }

    /** Names who is asked before accesses to watched pages; drops every cached translation. */
    public void watchData(Watchpoints next) {
        watchpoints = next;
        flushAll();
    }

    // Loads and stores

    /** {@return the TLB bank of ordinary accesses, for {@link DirectMemory}, until the context changes} */
    public long[] bank() {
        return bank;
    }

    /** {@return the TLB bank of LDTR and STTR, until the context changes} */
    public long[] unprivilegedBank() {
        return unprivilegedBank;
    }

    public int read8(long va) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at) == (va & Tlb.PAGE)) {
            return RAW.getByte(va + Tlb.get(bank, at + Tlb.ADDEND)) & 0xFF;
        }
        return (int) readSlow(va, 1, 1, bank);
    }

    public int read16(long va) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at) == (va + 1 & Tlb.PAGE)) {
            return RAW.getShort(va + Tlb.get(bank, at + Tlb.ADDEND)) & 0xFFFF;
        }
        return (int) readSlow(va, 2, 2, bank);
    }

    public int read32(long va) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at) == (va + 3 & Tlb.PAGE)) {
            return RAW.getInt(va + Tlb.get(bank, at + Tlb.ADDEND));
        }
        return (int) readSlow(va, 4, 4, bank);
    }

    public long read64(long va) {
        return read64(va, 8);
    }

    /** As {@link #read64(long)}, of an access that is aligned when it is to {@code alignment} bytes, 1 to 16. */
    public long read64(long va, int alignment) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at) == (va + 7 & Tlb.PAGE)) {
            return RAW.getLong(va + Tlb.get(bank, at + Tlb.ADDEND));
        }
        return readSlow(va, 8, alignment, bank);
    }

    public void write8(long va, int value) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va & Tlb.PAGE)) {
            RAW.putByte(va + Tlb.get(bank, at + Tlb.ADDEND), (byte) value);
        } else {
            writeSlow(va, 1, 1, bank, value);
        }
    }

    public void write16(long va, int value) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va + 1 & Tlb.PAGE)) {
            RAW.putShort(va + Tlb.get(bank, at + Tlb.ADDEND), (short) value);
        } else {
            writeSlow(va, 2, 2, bank, value);
        }
    }

    public void write32(long va, int value) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va + 3 & Tlb.PAGE)) {
            RAW.putInt(va + Tlb.get(bank, at + Tlb.ADDEND), value);
        } else {
            writeSlow(va, 4, 4, bank, value);
        }
    }

    public void write64(long va, long value) {
        write64(va, value, 8);
    }

    /** As {@link #write64(long, long)}, of an access that is aligned when it is to {@code alignment} bytes, 1 to 16. */
    public void write64(long va, long value, int alignment) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va + 7 & Tlb.PAGE)) {
            RAW.putLong(va + Tlb.get(bank, at + Tlb.ADDEND), value);
        } else {
            writeSlow(va, 8, alignment, bank, value);
        }
    }

    /** Reads {@code 1 << sizeLog2} bytes with EL0 rights (LDTR), with EL1 rights when PSTATE.UAO says so. */
    public long readUnprivileged(long va, int sizeLog2) {
        int size = 1 << sizeLog2;
        long at = Tlb.index(va);
        if (Tlb.get(unprivilegedBank, at) == (va + size - 1 & Tlb.PAGE)) {
            return get(va + Tlb.get(unprivilegedBank, at + Tlb.ADDEND), size);
        }
        return readSlow(va, size, size, unprivilegedBank);
    }

    /** Writes {@code 1 << sizeLog2} bytes with EL0 rights (STTR), with EL1 rights when PSTATE.UAO says so. */
    public void writeUnprivileged(long va, int sizeLog2, long value) {
        int size = 1 << sizeLog2;
        long at = Tlb.index(va);
        if (Tlb.get(unprivilegedBank, at + Tlb.WRITE) == (va + size - 1 & Tlb.PAGE)) {
            put(va + Tlb.get(unprivilegedBank, at + Tlb.ADDEND), size, value);
        } else {
            writeSlow(va, size, size, unprivilegedBank, value);
        }
    }

    /**
     * Translates an access that lies inside one page, for atomic and ordered accesses.
     *
     * @param sizeBytes 1 to 4096; {@code va .. va + sizeBytes} must not cross a page
     * @return the host address to read
     */
    public long hostForRead(long va, int sizeBytes) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at) == (va & Tlb.PAGE)) {
            return va + Tlb.get(bank, at + Tlb.ADDEND);
        }
        return watched(va, sizeBytes, Tlb.READ, bank, resolve(va, Tlb.READ, bank, aligned(va, sizeBytes)));
    }

    /**
     * As {@link #hostForRead}, for a write. Decoded code in the bytes is reported as written already.
     */
    public long hostForWrite(long va, int sizeBytes) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va & Tlb.PAGE)) {
            return va + Tlb.get(bank, at + Tlb.ADDEND);
        }
        return hostForWriteSlow(va, sizeBytes, bank);
    }

    /** As {@link #hostForWrite}, for a read-modify-write, which faults as a read when it cannot even read. */
    public long hostForModify(long va, int sizeBytes) {
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.WRITE) == (va & Tlb.PAGE)) {
            return va + Tlb.get(bank, at + Tlb.ADDEND);
        }
        long host = resolve(va, Tlb.READ, bank, aligned(va, sizeBytes));
        resolve(va, Tlb.WRITE, bank, true);
        watched(va, sizeBytes, Tlb.READ, bank, host);
        return hostForWriteSlow(va, sizeBytes, bank);
    }

    /**
     * {@return the host address of the instruction at {@code va}} Throws an instruction abort, or a PC alignment
     * fault. The answer holds for the rest of the page and this EL until {@link #fetchGeneration} changes.
     */
    public long hostForFetch(long va) {
        if ((va & 3) != 0) {
            abort.stage2 = false;
            abort.instruction = true;
            abort.pcAlignment = true;
            abort.iss = 0;
            abort.far = va;
            throw abort;
        }
        long at = Tlb.index(va);
        if (Tlb.get(bank, at + Tlb.EXEC) == (va & Tlb.PAGE)) {
            return va + Tlb.get(bank, at + Tlb.ADDEND);
        }
        return resolve(va, Tlb.EXEC, bank, true);
    }

    /** {@return whether the page of {@code va}, just translated by {@link #hostForFetch}, is a guarded one} */
    public boolean isGuarded(long va) {
        return (Tlb.get(bank, Tlb.index(va) + Tlb.EXEC) & Tlb.GUARDED) != 0;
    }

    /** {@return a number that changes whenever a fetch of the same EL may translate differently than before} */
    public int fetchGeneration() {
        return fetchGeneration;
    }

    /** Raises an alignment fault for a data access at {@code va}. {@return never} */
    public Abort alignmentFault(long va, boolean write) {
        throw stage1Fault(va, Fault.ALIGNMENT, write ? Tlb.WRITE : Tlb.READ);
    }

    /** DC ZVA: zeroes the 64-byte block that holds {@code va}. */
    public void zeroBlock(long va) {
        long start = va & -ZERO_BLOCK;
        long at = Tlb.index(va);
        long host;
        if (Tlb.get(bank, at + Tlb.WRITE) == (va & Tlb.PAGE)) {
            host = start + Tlb.get(bank, at + Tlb.ADDEND);
        } else {
            host = zeroBlockSlow(va);
        }
        for (int i = 0; i < ZERO_BLOCK; i += 8) {
            RAW.putLong(host + i, 0);
        }
    }

    private long zeroBlockSlow(long va) {
        long host = resolve(va, Tlb.WRITE, bank, true) & -ZERO_BLOCK;
        long tag = Tlb.get(bank, Tlb.index(va) + Tlb.WRITE);
        if ((tag & Tlb.DEVICE) != 0) {
            throw stage1Fault(va, Fault.ALIGNMENT, Tlb.WRITE);
        }
        watched(va & -ZERO_BLOCK, ZERO_BLOCK, Tlb.WRITE, bank, host);
        if (hasCode(va, bank)) {
            reportCode(va, ZERO_BLOCK, host);
        }
        return host;
    }

    /**
     * The checks of a cache maintenance instruction by VA; faults carry CM and WnR.
     *
     * @param write the instruction needs the right to write (DC IVAC)
     * @return the host address of {@code va}
     */
    public long hostForMaintenance(long va, boolean write) {
        // PAN takes no part in cache maintenance
        long[] rights = state.el == 0 ? tlb.el0 : tlb.el1;
        maintenance = Fault.CM | Fault.WNR;
        try {
            return resolve(va, write ? Tlb.WRITE : Tlb.READ, rights, true);
        } finally {
            maintenance = 0;
        }
    }

    // Slow paths

    /** {@return {@code host}, unless the access is watched} The pages have been translated. */
    private long watched(long va, int size, int kind, long[] rights, long host) {
        if ((Tlb.get(rights, Tlb.index(va) + kind) & Tlb.WATCHED) != 0) {
            long hit = watchpoints.hit(va, size, kind == Tlb.WRITE, rights == tlb.el0);
            if (hit != Watchpoints.NONE_HIT) {
                throw watchpoint(hit, kind);
            }
        }
        return host;
    }

    private Abort watchpoint(long va, int kind) {
        stage1Fault(va, Fault.DEBUG, kind);
        abort.watchpoint = true;
        return abort;
    }

    private static boolean aligned(long va, int size) {
        // a pair is two accesses of at most 8 bytes here
        return (va & (size - 1 & 7)) == 0;
    }

    private long readSlow(long va, int size, int alignment, long[] rights) {
        boolean aligned = (va & alignment - 1) == 0;
        int inPage = 4096 - ((int) va & 4095);
        if (size > inPage) {
            long first = resolve(va, Tlb.READ, rights, aligned);
            watched(va, inPage, Tlb.READ, rights, first);
            long second = resolve(va + inPage, Tlb.READ, rights, aligned);
            watched(va + inPage, size - inPage, Tlb.READ, rights, second);
            long value = 0;
            for (int i = 0; i < size; i++) {
                long host = i < inPage ? first + i : second + i - inPage;
                value |= (RAW.getByte(host) & 0xFFL) << 8 * i;
            }
            return value;
        }
        return get(watched(va, size, Tlb.READ, rights, resolve(va, Tlb.READ, rights, aligned)), size);
    }

    private static long get(long host, int size) {
        return switch (size) {
            case 1 -> RAW.getByte(host) & 0xFFL;
            case 2 -> RAW.getShort(host) & 0xFFFFL;
            case 4 -> RAW.getInt(host) & 0xFFFF_FFFFL;
            default -> RAW.getLong(host);
        };
    }

    private static void put(long host, int size, long value) {
        switch (size) {
            case 1 -> RAW.putByte(host, (byte) value);
            case 2 -> RAW.putShort(host, (short) value);
            case 4 -> RAW.putInt(host, (int) value);
            default -> RAW.putLong(host, value);
        }
    }

    private void writeSlow(long va, int size, int alignment, long[] rights, long value) {
        boolean aligned = (va & alignment - 1) == 0;
        int inPage = 4096 - ((int) va & 4095);
        if (size > inPage) {
            long first = resolve(va, Tlb.WRITE, rights, aligned);
            watched(va, inPage, Tlb.WRITE, rights, first);
            boolean firstCode = hasCode(va, rights);
            long second = resolve(va + inPage, Tlb.WRITE, rights, aligned);
            watched(va + inPage, size - inPage, Tlb.WRITE, rights, second);
            boolean secondCode = hasCode(va + inPage, rights);
            for (int i = 0; i < size; i++) {
                RAW.putByte(i < inPage ? first + i : second + i - inPage, (byte) (value >>> 8 * i));
            }
            if (firstCode) {
                reportCode(va, inPage, first);
            }
            if (secondCode) {
                reportCode(va + inPage, size - inPage, second);
            }
            return;
        }
        long host = watched(va, size, Tlb.WRITE, rights, resolve(va, Tlb.WRITE, rights, aligned));
        put(host, size, value);
        if (hasCode(va, rights)) {
            reportCode(va, size, host);
        }
    }

    private long hostForWriteSlow(long va, int size, long[] rights) {
        long host = watched(va, size, Tlb.WRITE, rights, resolve(va, Tlb.WRITE, rights, aligned(va, size)));
        if (hasCode(va, rights)) {
            reportCode(va, size, host);
        }
        return host;
    }

    private boolean hasCode(long va, long[] rights) {
        return (Tlb.get(rights, Tlb.index(va) + Tlb.WRITE) & Tlb.CODE) != 0;
    }

    private void reportCode(long va, int size, long host) {
        long hostPage = host - (host - memory.hostAddress(0) & 4095);
        if (code.isCodePage(hostPage)) {
            code.codeWritten(hostPage, host - hostPage, size);
        }
        if (!code.isCodePage(hostPage)) {
            // nothing decoded is left: the next fill makes the page fast again
            tlb.flushPage(va, stage1.granule(va));
        }
    }

    /** Translates by TLB or walk. {@return the host address} @throws Abort when the access is not possible */
    private long resolve(long va, int kind, long[] rights, boolean aligned) {
        if (!aligned && (stage1.sctlr & Stage1.SCTLR_A) != 0) {
            throw stage1Fault(va, Fault.ALIGNMENT, kind);
        }
        long at = Tlb.index(va);
        long tag = Tlb.get(rights, at + kind);
        if ((tag & (Tlb.PAGE | Tlb.INVALID)) != (va & Tlb.PAGE)) {
            misses++;
            fill(va, kind, rights, aligned);
            tag = Tlb.get(rights, at + kind);
        }
        if (!aligned && (tag & Tlb.DEVICE) != 0) {
            throw stage1Fault(va, Fault.ALIGNMENT, kind);
        }
        return va + Tlb.get(rights, at + Tlb.ADDEND);
    }

    private static int access(int kind) {
        return kind == Tlb.READ ? Access.R : kind == Tlb.WRITE ? Access.W : Access.X;
    }

    private int stage1Rights(long[] rightsBank) {
        if (rightsBank == tlb.el0) {
            return stage1.rights >> 3;
        }
        int rights = stage1.rights & 7;
        return rightsBank == tlb.el1Pan && stage1.user ? rights & Access.X : rights;
    }

    private void fill(long va, int kind, long[] rightsBank, boolean aligned) {
        if (trial != null) {
            throw trial.missing(va, kind, rightsBank);
        }
        int status = stage1.walk(va, kind == Tlb.EXEC);
        if (status != Stage1.OK) {
            throw status == Stage1.STAGE2 ? stage2Fault(va, stage1.faultIpa, Access.R, stage1.faultMapped, true, kind)
                    : stage1Fault(va, status, kind);
        }
        boolean device = stage1.device();
        if (device && !aligned) {
            throw stage1Fault(va, Fault.ALIGNMENT, kind);
        }
        int wanted = access(kind);
        int rights = stage1Rights(rightsBank);
        if (!Access.allows(rights, wanted)) {
            throw stage1Fault(va, Fault.PERMISSION | stage1.level, kind);
        }
        status = stage1.markUsed(wanted == Access.W);
        if (status == Stage1.STAGE2) {
            throw stage2Fault(va, stage1.faultIpa, Access.W, stage1.faultMapped, true, kind);
        }
        if (status == Stage1.AGAIN) {
            fill(va, kind, rightsBank, aligned);
            return;
        }
        if (stage1.clean) {
            // the first write comes here again
            rights &= ~Access.W;
        }
        long mapping = stage2.lookup(stage1.ipa);
        int allowed = rightsBank == tlb.el0 ? Stage2Table.el0Access(mapping) : Stage2Table.el1Access(mapping);
        if (!Stage2Table.isValid(mapping) || !Access.allows(allowed, wanted)) {
            throw stage2Fault(va, stage1.ipa, wanted, Stage2Table.isValid(mapping), false, kind);
        }
        insert(va, rightsBank, rights & allowed, device, memory.hostAddress(Stage2Table.pa(mapping)));
    }

    private void insert(long va, long[] rightsBank, int rights, boolean device, long hostPage) {
        fills++;
        int flags = (device ? Tlb.DEVICE : 0) | ((stage1.sctlr & Stage1.SCTLR_A) != 0 ? Tlb.ALIGNED : 0)
                | (watchpoints.coverPage(va) ? Tlb.WATCHED : 0);
        int writeFlags = (rights & Access.W) != 0 && code.isCodePage(hostPage) ? Tlb.CODE : 0;
        tlb.insert(rightsBank, va, rights, flags, writeFlags, stage1.guarded ? Tlb.GUARDED : 0, hostPage);
        if (stage1.level < 3) {
            tlb.noteBlock(va, stage1.pageBits);
        }
        if (stage1.nonGlobal && va << 8 < 0) {
            tlb.highNonGlobal = true;
        }
    }

    private Abort stage1Fault(long va, int status, int kind) {
        abort.stage2 = false;
        abort.instruction = kind == Tlb.EXEC;
        abort.pcAlignment = false;
        abort.watchpoint = false;
        abort.iss = status | maintenance | (kind == Tlb.WRITE ? Fault.WNR : 0);
        abort.far = va;
        abort.access = access(kind);
        return abort;
    }

    private Abort stage2Fault(long va, long ipa, int access, boolean mapped, boolean walk, int kind) {
        abort.stage2 = true;
        abort.instruction = kind == Tlb.EXEC;
        abort.pcAlignment = false;
        abort.iss = maintenance | (walk ? Fault.S1PTW : 0) | (kind == Tlb.WRITE ? Fault.WNR : 0)
                | (mapped ? Fault.PERMISSION : Fault.TRANSLATION) | 3;
        abort.far = va;
        abort.ipa = ipa;
        abort.access = access;
        abort.mapped = mapped;
        abort.walk = walk;
        return abort;
    }

    /** From here on accesses go to {@code copies}; nothing that changes the context may be executed. */
    public void beginTrial(TrialMemory copies) {
        trial = copies;
        bank = copies.join(tlb, bank);
        unprivilegedBank = copies.join(tlb, unprivilegedBank);
    }

    /** Back to the guest's memory. */
    public void endTrial() {
        trial = null;
        contextChanged();
    }

    /** {@return whether accesses go to copies now} */
    public boolean isTrial() {
        return trial != null;
    }

    // Translation without an access

    /**
     * Translates for the hypervisor, which reads or writes a buffer the guest named, with EL1's rights and PAN
     * ignored. Raises nothing. When {@code access} includes W, decoded code of the page is dropped.
     *
     * @param va     any byte of a page
     * @param access {@link Access} bits
     * @return the host address of {@code va}, valid to the end of its page and until guest code runs again; or
     *         {@link #STAGE1_FAULT}, {@link #STAGE2_PERMISSION}, {@link #STAGE2_UNMAPPED}
     */
    public long translateForOwner(long va, int access) {
        int status = stage1.walk(va, false);
        if (status != Stage1.OK) {
            return status != Stage1.STAGE2 ? STAGE1_FAULT : stage1.faultMapped ? STAGE2_PERMISSION : STAGE2_UNMAPPED;
        }
        if (!Access.allows(stage1.rights & 7, access)) {
            return STAGE1_FAULT;
        }
        status = stage1.markUsed((access & Access.W) != 0);
        if (status != Stage1.OK) {
            return status == Stage1.AGAIN ? translateForOwner(va, access)
                    : stage1.faultMapped ? STAGE2_PERMISSION : STAGE2_UNMAPPED;
        }
        long mapping = stage2.lookup(stage1.ipa);
        if (!Stage2Table.isValid(mapping)) {
            return STAGE2_UNMAPPED;
        }
        if (!Access.allows(Stage2Table.el1Access(mapping), access)) {
            return STAGE2_PERMISSION;
        }
        long hostPage = memory.hostAddress(Stage2Table.pa(mapping));
        if ((access & Access.W) != 0 && code.isCodePage(hostPage)) {
            code.codeWritten(hostPage, 0, PhysicalMemory.PAGE_SIZE);
        }
        return hostPage | va & 4095;
    }

    /**
     * {@return the instruction word at {@code va}, empty when it cannot be read} Raises and changes nothing: for reports,
     * by any thread while the CPU is outside guest code.
     */
    public OptionalInt peekInstruction(long va) {
        Stage1 walker = stage1.copy();
        if ((va & 3) != 0 || walker.walk(va, true) != Stage1.OK) {
            return OptionalInt.empty();
        }
        long mapping = stage2.lookup(walker.ipa);
        return Stage2Table.isValid(mapping)
                ? OptionalInt.of(RAW.getInt(memory.hostAddress(Stage2Table.pa(mapping)) | va & 4095))
                : OptionalInt.empty();
    }

    /**
     * AT S1E0R, S1E0W, S1E1R, S1E1W, S1E1RP, S1E1WP: stage 1 only.
     *
     * @return the new PAR_EL1
     * @throws Abort when stage 2 refuses a read of the tables
     */
    public long translateStage1(long va, boolean el0, boolean write, boolean pan) {
        int status = stage1.walk(va, false);
        if (status == Stage1.STAGE2) {
            maintenance = Fault.CM;
            Abort fault = stage2Fault(va, stage1.faultIpa, Access.R, stage1.faultMapped, true, Tlb.READ);
            maintenance = 0;
            throw fault;
        }
        int rights = stage1Rights(el0 ? tlb.el0 : pan ? tlb.el1Pan : tlb.el1);
        if (status == Stage1.OK && !Access.allows(rights, write ? Access.W : Access.R)) {
            status = Fault.PERMISSION | stage1.level;
        }
        if (status != Stage1.OK) {
            return 1 << 11 | status << 1 | 1;
        }
        // Device and non-cacheable memory is reported as outer shareable
        long shareability = stage1.device() || stage1.attributes == NON_CACHEABLE ? 2 : stage1.shareability;
        return stage1.ipa & 0x0000_FFFF_FFFF_F000L | (long) stage1.attributes << 56 | 1 << 11 | shareability << 7;
    }

    /**
     * {@return {@code target} as a branch or an exception return writes it to the PC: without the top byte when the
     * translation regime ignores it}
     */
    public long branchAddress(long target) {
        return stage1.topByteIgnored(target, true) ? target << 8 >> 8 : target;
    }

    /** {@return whether the top byte of a pointer is a tag: of data, or of code} */
    public boolean isTagged(long pointer, boolean code) {
        return stage1.topByteIgnored(pointer, code);
    }

    /** {@return the address bits of the half of the address space {@code pointer} belongs to, 25 to 48} */
    public int addressBits(long pointer) {
        return stage1.inputBits(pointer);
    }

    // Control registers and maintenance

    /** PSTATE.EL, PAN or UAO changed: selects the rights of the accesses that follow. */
    public void contextChanged() {
        long[] el1Bank = state.pan ? tlb.el1Pan : tlb.el1;
        bank = state.el == 0 ? tlb.el0 : el1Bank;
        unprivilegedBank = state.el == 1 && state.uao ? el1Bank : tlb.el0;
    }

    /** SCTLR_EL1 was written. */
    public void writeSctlr(long value) {
        boolean same = ((stage1.sctlr ^ value) & (Stage1.SCTLR_M | Stage1.SCTLR_A | Stage1.SCTLR_WXN)) == 0;
        stage1.sctlr = value;
        if (!same) {
            flushAll();
        }
    }

    /** TCR_EL1 was written. */
    public void writeTcr(long value) {
        if (stage1.tcr != value) {
            stage1.tcr = value;
            stage1.configure();
            flushAll();
        }
    }

    /** MAIR_EL1 was written. */
    public void writeMair(long value) {
        if (stage1.mair != value) {
            stage1.mair = value;
            flushAll();
        }
    }

    /** TTBR0_EL1 was written. */
    public void writeTtbr0(long value) {
        int asid = stage1.asid();
        long before = stage1.ttbr0;
        stage1.ttbr0 = value;
        stage1.configure();
        if (before != value) {
            tlb.flushHalf(0);
        }
        asidMayHaveChanged(asid);
    }

    /** TTBR1_EL1 was written. */
    public void writeTtbr1(long value) {
        int asid = stage1.asid();
        boolean moved = (stage1.ttbr1 << 16) != (value << 16);
        stage1.ttbr1 = value;
        stage1.configure();
        if (moved) {
            tlb.flushHalf(1);
        }
        asidMayHaveChanged(asid);
    }

    private void asidMayHaveChanged(int before) {
        fetchGeneration++;
        if (stage1.asid() != before) {
            flushNonGlobal();
        }
    }

    private void flushNonGlobal() {
        tlb.flushHalf(0);
        if (tlb.highNonGlobal) {
            tlb.flushHalf(1);
        }
    }

    /** Drops every cached translation. */
    public void flushAll() {
        flushes++;
        fetchGeneration++;
        tlb.flushAll();
    }

    /** Drops the translation of {@code va}'s page, or of the block it is part of, in every ASID. */
    public void flushVa(long va) {
        fetchGeneration++;
        tlb.flushPage(va, stage1.granule(va));
    }

    /** Drops the translations that TLBI RVAE1 with that operand names, in every ASID. */
    private void flushRange(long operand) {
        int granule = switch ((int) (operand >>> 46) & 3) {
            case 1 -> 12;
            case 2 -> 14;
            case 3 -> 16;
            default -> 0;
        };
        if (granule == 0) {
            return;
        }
        long va = operand << 27 >> 27 << granule;
        long pages = (operand >>> 39 & 31) + 1 << 5 * (int) (operand >>> 44 & 3) + 1;
        fetchGeneration++;
        if (pages > RANGE_BY_PAGE) {
            flushes++;
            tlb.flushHalf((int) (va >>> 55) & 1);
            return;
        }
        for (long page = 0; page < pages; page++) {
            tlb.flushPage(va + (page << granule), granule);
        }
    }

    /** Drops the non-global translations of {@code asid}. */
    public void flushAsid(int asid) {
        fetchGeneration++;
        // only the current ASID ever has entries: switching away drops them
        if (asid == stage1.asid()) {
            flushes++;
            flushNonGlobal();
        }
    }

    /** Applies a TLB maintenance operation, ours or another CPU's; see {@link TlbBroadcast}. */
    public void invalidate(long op, long operand) {
        switch ((int) op) {
            case TLBI_VA, TLBI_VA_ALL_ASID -> flushVa(operand << 20 >> 8);
            case TLBI_RANGE -> flushRange(operand);
            case TLBI_ASID -> flushAsid((int) (operand >>> 48) & ((stage1.tcr & 1L << 36) != 0 ? 0xFFFF : 0xFF));
            default -> flushAll();
        }
    }

    /** Drops every cached translation when stage 2 lost something since the last call. */
    public void synchronizeStage2() {
        int epoch = stage2.epoch();
        if (epoch != stage2Epoch) {
            stage2Epoch = epoch;
            flushAll();
        }
    }

    /** Code of the page at host address {@code hostPage} was decoded: stores to it must be noticed from now on. */
    public void dropWriteEntries(long hostPage) {
        tlb.dropWrites(hostPage);
    }

    /** {@return accesses that the TLB could not answer} */
    public long misses() {
        return misses;
    }

    /** {@return misses that a walk answered} */
    public long fills() {
        return fills;
    }

    /** {@return flushes of more than one page} */
    public long flushes() {
        return flushes;
    }
}
