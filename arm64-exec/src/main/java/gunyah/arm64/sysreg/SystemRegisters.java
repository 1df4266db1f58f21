package gunyah.arm64.sysreg;

import static gunyah.memory.RawMemory.RAW;

import gunyah.arm64.mmu.Miss;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.mmu.TlbBroadcast;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuPort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import java.util.List;
import java.util.TreeMap;

/**
 * State and meaning of a vCPU's system registers and SYS operations. An access is named by its key, bits 20:5 of the
 * instruction ({@link #key}); {@link #slot} turns a key into a number that {@link #readSlot} and {@link #writeSlot}
 * take, so that a decoder resolves it once. A refused access throws the CPU's {@link UndefinedInstruction} with the
 * architected syndrome. Owned by the vCPU's thread.
 *
 * <p>A write may move the CPU to another translation ({@link Mmu#fetchGeneration} says so), unmask interrupts
 * ({@code s.daif}) or change {@code s.fpTrapped}: the engine looks at them after every MSR.
 */
public final class SystemRegisters {
    private static final int ID_SLOT = 1 << 16;
    private static final int ICC_SLOT = 2 << 16;
    private static final int UNKNOWN_SLOT = 3 << 16;
    private static final int KEY_MASK = 0xFFFF;
    private static final int REMEMBERED_UNKNOWNS = 256;

    private static final byte READ_EL0 = 1;
    private static final byte READ_EL1 = 2;
    /** Per slot: which exception levels read the stored value without any check. */
    private static final byte[] DIRECT = direct();
    private static final int STACK_OF_EL0 = SystemRegister.SP_EL0.ordinal();

    private static final int EC_TRAPPED_WAIT = 0x01;
    private static final int EC_TRAPPED_FP = 0x07;
    private static final int EC_TRAPPED_SYSTEM = 0x18;
    private static final long CONDITION_ALWAYS = 1 << 24 | 0xE << 20;

    private static final long SCTLR_SA = 1 << 3;
    private static final long SCTLR_SA0 = 1 << 4;
    private static final long SCTLR_UMA = 1 << 9;
    private static final long SCTLR_DZE = 1 << 14;
    private static final long SCTLR_UCT = 1 << 15;
    private static final long SCTLR_NTWI = 1 << 16;
    private static final long SCTLR_NTWE = 1 << 18;
    private static final long SCTLR_UCI = 1 << 26;
    private static final long SCTLR_BT0 = 1L << 35;
    private static final long SCTLR_BT1 = 1L << 36;
    private static final long SCTLR_DSSBS = 1L << 44;
    /** EnIA, EnIB, EnDA, EnDB. */
    private static final long SCTLR_PAUTH = 0xC800_2000L;
    /** TBID0, TBID1. */
    private static final long TCR_TBID = 3L << 51;
    private static final long TCR_HA_HD = 3L << 39;
    private static final long TCR_HPD = 3L << 41;
    private static final long CNTKCTL_EVNTIS = 1 << 17;
    private static final long MDSCR_TDCC = 1 << 12;

    private final CpuState s;
    private final Mmu mmu;
    private final CpuPort port;
    private final VcpuControl control;
    private final IdRegisters ids;
    private final UndefinedInstruction undefined;
    private final CodeInvalidation code;
    private final TlbBroadcast domain;
    private final GenericTimers timers;
    /** The keys and the arithmetic of pointer authentication. */
    public final PointerKeys pointerKeys;
    /** Software step, breakpoints and watchpoints. */
    public final SelfHostedDebug debug;
    /** The counters. */
    public final PerformanceMonitors pmu;
    private final boolean hasSsbs;
    private final boolean hasPauth;
    private final boolean hasBranchTargets;
    /** Bits of TCR_EL1 that exist with a feature only. */
    private final long tcrExtra;
    private final int fpcrMask;
    private final long[] r = new long[SystemRegister.ALL.length];
    private final TreeMap<Integer, UnknownAccess> unknown = new TreeMap<>();
    private long unknownCount;

    /**
     * An encoding that no table row knows.
     *
     * @param key   see {@link SystemRegisters#key}
     * @param pc    of the last access
     * @param count accesses so far
     */
    public record UnknownAccess(int key, long pc, long count) {
        @Override
        public String toString() {
            return "S%d_%d_C%d_C%d_%d at 0x%x, %d times".formatted(key >>> 14, key >>> 11 & 7, key >>> 7 & 15,
                    key >>> 3 & 15, key & 7, pc, count);
        }
    }

    /** The CPU in its reset state: EL1h, everything masked, MMU off; the caller sets PC and X0. */
    public SystemRegisters(CpuState s, Mmu mmu, CpuPort port, VcpuControl control, IdRegisters ids, long mpidr,
            UndefinedInstruction undefined, CodeInvalidation code, TlbBroadcast domain) {
        this.s = s;
        this.mmu = mmu;
        this.port = port;
        this.control = control;
        this.ids = ids;
        this.undefined = undefined;
        this.code = code;
        this.domain = domain;
        this.timers = new GenericTimers(port);
        this.pointerKeys = new PointerKeys(mmu);
        this.debug = new SelfHostedDebug(s, mmu, r);
        this.pmu = new PerformanceMonitors(s, port, control);
        this.hasSsbs = ids.has(4, 1, 4);
        this.hasPauth = ids.has(6, 1, 8);
        this.hasBranchTargets = ids.has(4, 1, 0);
        this.tcrExtra = (hasPauth ? TCR_TBID : 0) | (ids.has(7, 1, 12) ? TCR_HPD : 0)
                | (ids.has(7, 1, 0) ? TCR_HA_HD : 0);
        mmu.options(ids.has(7, 0, 20), ids.has(7, 2, 28), hasBranchTargets);
        // FZ16 exists with half precision arithmetic only
        this.fpcrMask = ids.has(4, 0, 16) ? 0x07C8_0000 : 0x07C0_0000;
        r[SystemRegister.MPIDR_EL1.ordinal()] = 1L << 31 | mpidr;
        setResetValues();
    }

    /** Gives every register its reset value and stops the timers; PSTATE and general registers are the caller's. */
    public void reset() {
        setResetValues();
        timers.reset();
    }

    private void setResetValues() {
        long mpidr = value(SystemRegister.MPIDR_EL1);
        for (SystemRegister register : SystemRegister.ALL) {
            r[register.ordinal()] = register.reset;
        }
        r[SystemRegister.MPIDR_EL1.ordinal()] = mpidr;
        mmu.writeSctlr(value(SystemRegister.SCTLR_EL1));
        mmu.writeTcr(value(SystemRegister.TCR_EL1));
        mmu.writeMair(value(SystemRegister.MAIR_EL1));
        mmu.writeTtbr0(value(SystemRegister.TTBR0_EL1));
        mmu.writeTtbr1(value(SystemRegister.TTBR1_EL1));
        debug.registersChanged();
        pmu.reset();
        contextChanged();
    }

    private static byte[] direct() {
        byte[] flags = new byte[SystemRegister.ALL.length];
        for (SystemRegister register : SystemRegister.ALL) {
            if (register.kind != SystemRegister.Kind.SPECIAL && register.kind != SystemRegister.Kind.PMU) {
                flags[register.ordinal()] = (byte) ((register.el0Read && !register.el0Controlled ? READ_EL0 : 0)
                        | (register.el1Read ? READ_EL1 : 0));
            }
        }
        return flags;
    }

    /** {@return op0:op1:CRn:CRm:op2 packed as in bits 20:5 of MRS, MSR (register) and SYS: 2, 3, 4, 4 and 3 bits} */
    public static int key(int op0, int op1, int crn, int crm, int op2) {
        return SystemRegister.key(op0, op1, crn, crm, op2);
    }

    /**
     * {@return the resolved form of a key, the same for every CPU with the same features} Instruction bits 19:5 do as
     * well as 20:5.
     */
    public int slot(int bits) {
        // MRS and MSR (register) leave no choice about the upper bit of op0
        int key = bits | 1 << 15;
        int ordinal = SystemRegister.ordinalOf(key);
        if (ordinal >= 0) {
            return exists(SystemRegister.ALL[ordinal]) ? ordinal : UNKNOWN_SLOT | key;
        }
        // op0 3, op1 0, CRn 0, CRm 1..7: the identification space, where everything unallocated reads as zero
        if (key >>> 7 == 3 << 7 && (key >>> 3 & 15) >= 1 && (key >>> 3 & 15) <= 7) {
            return ID_SLOT | key & 63;
        }
        return port.hasIcc(key, false) || port.hasIcc(key, true) ? ICC_SLOT | key : UNKNOWN_SLOT | key;
    }

    private boolean exists(SystemRegister register) {
        return switch (register) {
            case SSBS -> hasSsbs;
            case DIT -> ids.has(4, 0, 48);
            case PAN -> ids.has(7, 1, 20);
            case UAO -> ids.has(7, 2, 4);
            case RNDR, RNDRRS -> ids.has(6, 0, 60);
            case CNTPCTSS_EL0, CNTVCTSS_EL0 -> ids.has(7, 0, 60);
            default -> !isKey(register) || ids.has(6, 1, 8);
        };
    }

    private boolean exists(SystemOperation operation) {
        return switch (operation) {
            case DC_CVAP -> (ids.read(6, 1) & 15) >= 1;
            case DC_CVADP -> (ids.read(6, 1) & 15) >= 2;
            case AT_S1E1RP, AT_S1E1WP -> (ids.read(7, 1) >>> 20 & 15) >= 2;
            case TLBI_VMALLE1OS, TLBI_VAE1OS, TLBI_ASIDE1OS, TLBI_VAAE1OS, TLBI_VALE1OS, TLBI_VAALE1OS ->
                ids.has(6, 0, 56);
            case TLBI_RVAE1, TLBI_RVAAE1, TLBI_RVALE1, TLBI_RVAALE1, TLBI_RVAE1IS, TLBI_RVAAE1IS, TLBI_RVALE1IS,
                TLBI_RVAALE1IS, TLBI_RVAE1OS, TLBI_RVAAE1OS, TLBI_RVALE1OS, TLBI_RVAALE1OS ->
                (ids.read(6, 0) >>> 56 & 15) >= 2;
            default -> true;
        };
    }

    private static boolean isKey(SystemRegister register) {
        return register.ordinal() >= SystemRegister.APIAKEYLO_EL1.ordinal()
                && register.ordinal() <= SystemRegister.APGAKEYHI_EL1.ordinal();
    }

    private static int keyHalf(SystemRegister register) {
        return register.ordinal() - SystemRegister.APIAKEYLO_EL1.ordinal();
    }

    /** {@return the value of the register with this key} */
    public long read(int key) {
        return readSlot(slot(key));
    }

    /** {@return whether only the CPU itself changes what a read of this register gives, and the read changes nothing} */
    public static boolean isStable(int key) {
        int ordinal = SystemRegister.ordinalOf(key);
        if (ordinal < 0) {
            // identification registers; the interrupt controller's are not
            return (key >>> 7 & 15) == 0;
        }
        SystemRegister register = SystemRegister.ALL[ordinal];
        return register.kind != SystemRegister.Kind.PMU && switch (register) {
            case ISR_EL1, RNDR, RNDRRS, CNTPCT_EL0, CNTVCT_EL0, CNTP_TVAL_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0,
                    CNTV_TVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0 -> false;
            default -> true;
        };
    }

    /** {@return the stored value of the register with this key, for a report: no check of the exception level} */
    public long stored(int key) {
        int slot = slot(key);
        return slot < ID_SLOT ? r[slot] : 0;
    }

    /** Writes the register with this key. */
    public void write(int key, long value) {
        writeSlot(slot(key), value);
    }

    /** {@return the value of a register resolved by {@link #slot}} */
    public long readSlot(int slot) {
        if (slot < DIRECT.length && (DIRECT[slot] & 1 << s.el) != 0) {
            return r[slot];
        }
        return readSlow(slot);
    }

    /**
     * {@return the number of a register that software keeps a pointer in and reads all the time, -1 for any other} Linux
     * finds its current task by SP_EL0, data of this CPU by TPIDR_EL1, and a program its thread's by TPIDR_EL0.
     *
     * @param bits bits 19:5 of MRS
     */
    public static int pointerNumber(int bits) {
        int ordinal = SystemRegister.ordinalOf(bits | 1 << 15);
        return ordinal < 0 ? -1 : switch (SystemRegister.ALL[ordinal]) {
            case SP_EL0, TPIDR_EL1, TPIDR_EL0, TPIDRRO_EL0 -> ordinal;
            default -> -1;
        };
    }

    /** {@return the value of the register with that number, for translated code; {@link Miss} where it is UNDEFINED} */
    public long pointer(int number) {
        if (number == STACK_OF_EL0) {
            Miss.unless(s.el == 1 && s.spSel == 1);
            return s.spEl0;
        }
        Miss.unless((DIRECT[number] & 1 << s.el) != 0);
        return r[number];
    }

    private long readSlow(int slot) {
        if (slot >= ID_SLOT) {
            return readOther(slot);
        }
        SystemRegister register = SystemRegister.ALL[slot];
        if (s.el == 0) {
            checkEl0(register, register.el0Read, true);
        } else if (!register.el1Read) {
            throw undefined();
        }
        checkFp(register);
        if (register.kind == SystemRegister.Kind.PMU) {
            return pmu.read(register);
        }
        return switch (register) {
            case SP_EL0 -> {
                if (s.spSel == 0) {
                    throw undefined();
                }
                yield s.spEl0;
            }
            case SPSEL -> s.spSel;
            case CURRENTEL -> (long) s.el << 2;
            case PAN -> s.pan ? 1 << 22 : 0;
            case UAO -> s.uao ? 1 << 23 : 0;
            case DIT -> s.dit ? 1 << 24 : 0;
            case SSBS -> s.ssbs ? 1 << 12 : 0;
            case NZCV -> s.nzcv & 0xFFFF_FFFFL;
            case DAIF -> s.daif;
            case FPCR -> s.fpcr & 0xFFFF_FFFFL;
            case FPSR -> s.fpsr & 0xFFFF_FFFFL;
            case ISR_EL1 -> (control.isSerrorPending() ? 1 << 8 : 0) | (control.irqLine ? 1 << 7 : 0)
                    | (control.fiqLine ? 1 << 6 : 0);
            case CCSIDR_EL1 -> value(SystemRegister.CSSELR_EL1) <= 1 ? IdRegisters.CCSIDR : 0;
            case DCZID_EL0 -> 4 | (s.el == 0 && !sctlr(SCTLR_DZE) ? 1 << 4 : 0);
            case CNTPCT_EL0, CNTVCT_EL0, CNTPCTSS_EL0, CNTVCTSS_EL0 -> port.counter();
            case CNTP_TVAL_EL0 -> timers.value(false);
            case CNTP_CTL_EL0 -> timers.control(false);
            case CNTP_CVAL_EL0 -> timers.compare(false);
            case CNTV_TVAL_EL0 -> timers.value(true);
            case CNTV_CTL_EL0 -> timers.control(true);
            case CNTV_CVAL_EL0 -> timers.compare(true);
            case RNDR, RNDRRS -> {
                s.nzcv = 0;
                yield port.random();
            }
            default -> isKey(register) ? pointerKeys.half(keyHalf(register)) : r[slot];
        };
    }

    private long readOther(int slot) {
        if (s.el == 0) {
            throw slot >= UNKNOWN_SLOT ? unknown(slot & KEY_MASK) : undefined();
        }
        if (slot < ICC_SLOT) {
            return ids.read(slot & 63);
        }
        int key = slot & KEY_MASK;
        if (slot < UNKNOWN_SLOT && port.hasIcc(key, false)) {
            return port.readIcc(key);
        }
        throw unknown(key);
    }

    /** Writes a register resolved by {@link #slot}. */
    public void writeSlot(int slot, long value) {
        if (slot >= ID_SLOT) {
            writeOther(slot, value);
            return;
        }
        SystemRegister register = SystemRegister.ALL[slot];
        if (s.el == 0) {
            checkEl0(register, register.el0Write, false);
        } else if (!register.el1Write) {
            throw undefined();
        }
        checkFp(register);
        long mask = register.writeMask | extraBits(register);
        long merged = r[slot] & ~mask | value & mask;
        if (register.kind == SystemRegister.Kind.PLAIN) {
            r[slot] = merged;
            return;
        }
        if (register.kind == SystemRegister.Kind.PMU) {
            pmu.write(register, value);
            return;
        }
        if (register.kind == SystemRegister.Kind.DEBUG) {
            r[slot] = merged;
            debug.registersChanged();
            return;
        }
        writeEffect(register, slot, merged);
    }

    private void writeEffect(SystemRegister register, int slot, long value) {
        switch (register) {
            case SCTLR_EL1 -> writeSctlr(value);
            case CPACR_EL1 -> {
                r[slot] = value;
                updateFpTrap();
            }
            case TTBR0_EL1 -> {
                r[slot] = value;
                mmu.writeTtbr0(value);
            }
            case TTBR1_EL1 -> {
                r[slot] = value;
                mmu.writeTtbr1(value);
            }
            case TCR_EL1 -> {
                r[slot] = value;
                mmu.writeTcr(value);
            }
            case MAIR_EL1 -> {
                r[slot] = value;
                mmu.writeMair(value);
            }
            case SP_EL0 -> {
                if (s.spSel == 0) {
                    throw undefined();
                }
                s.spEl0 = value;
            }
            case SPSEL -> s.switchStack(1, (int) value);
            case PAN -> {
                s.pan = value != 0;
                mmu.contextChanged();
            }
            case UAO -> {
                s.uao = value != 0;
                mmu.contextChanged();
            }
            case DIT -> s.dit = value != 0;
            case SSBS -> s.ssbs = value != 0;
            case NZCV -> s.nzcv = (int) value;
            case DAIF -> s.daif = (int) value;
            case FPCR -> s.fpcr = (int) value & fpcrMask;
            case FPSR -> s.fpsr = (int) value;
            case CNTP_TVAL_EL0 -> timers.writeValue(false, value);
            case CNTP_CTL_EL0 -> timers.writeControl(false, value);
            case CNTP_CVAL_EL0 -> timers.writeCompare(false, value);
            case CNTV_TVAL_EL0 -> timers.writeValue(true, value);
            case CNTV_CTL_EL0 -> timers.writeControl(true, value);
            case CNTV_CVAL_EL0 -> timers.writeCompare(true, value);
            // OSLK is bit 1 of OSLSR
            case OSLAR_EL1 -> {
                r[SystemRegister.OSLSR_EL1.ordinal()] = 8 | value << 1;
                debug.registersChanged();
            }
            default -> {
                if (!isKey(register)) {
                    throw new IllegalStateException(register + " has no write effect");
                }
                pointerKeys.setHalf(keyHalf(register), value);
            }
        }
    }

    /** Bits that exist with a feature only. */
    private long extraBits(SystemRegister register) {
        return switch (register) {
            case SCTLR_EL1 -> (hasPauth ? SCTLR_PAUTH : 0) | (hasSsbs ? SCTLR_DSSBS : 0)
                    | (hasBranchTargets ? SCTLR_BT0 | SCTLR_BT1 : 0);
            case TCR_EL1 -> tcrExtra;
            case CNTKCTL_EL1 -> ids.has(7, 0, 60) ? CNTKCTL_EVNTIS : 0;
            default -> 0;
        };
    }

    private void writeSctlr(long value) {
        int slot = SystemRegister.SCTLR_EL1.ordinal();
        r[slot] = value;
        pointerKeys.writeSctlr(value);
        mmu.writeSctlr(value);
    }

    private void writeOther(int slot, long value) {
        int key = slot & KEY_MASK;
        if (slot >= UNKNOWN_SLOT || slot < ICC_SLOT || s.el == 0 || !port.hasIcc(key, true)) {
            throw slot >= UNKNOWN_SLOT ? unknown(key) : undefined();
        }
        port.writeIcc(key, value);
    }

    // Access rules of EL0

    private void checkEl0(SystemRegister register, boolean allowed, boolean read) {
        if (!allowed) {
            throw undefined();
        }
        if (register.el0Controlled && !(register.kind == SystemRegister.Kind.PMU ? pmu.allowsEl0(register, read)
                : el0Enabled(register))) {
            throw trap(EC_TRAPPED_SYSTEM, systemIss(register.key, read));
        }
    }

    private void checkFp(SystemRegister register) {
        if (s.fpTrapped && (register == SystemRegister.FPCR || register == SystemRegister.FPSR)) {
            throw trap(EC_TRAPPED_FP, CONDITION_ALWAYS);
        }
    }

    private boolean el0Enabled(SystemRegister register) {
        long cntkctl = value(SystemRegister.CNTKCTL_EL1);
        return switch (register) {
            case CTR_EL0 -> sctlr(SCTLR_UCT);
            case DAIF -> sctlr(SCTLR_UMA);
            case CNTFRQ_EL0 -> (cntkctl & 3) != 0;
            case CNTPCT_EL0, CNTPCTSS_EL0 -> (cntkctl & 1) != 0;
            case CNTVCT_EL0, CNTVCTSS_EL0 -> (cntkctl & 2) != 0;
            case CNTV_TVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0 -> (cntkctl & 1 << 8) != 0;
            case CNTP_TVAL_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0 -> (cntkctl & 1 << 9) != 0;
            default -> (value(SystemRegister.MDSCR_EL1) & MDSCR_TDCC) == 0;
        };
    }

    /** ISS of EC 0x18 for the instruction at the PC. */
    private long systemIss(int key, boolean read) {
        int rt = RAW.getInt(mmu.hostForFetch(s.pc)) & 31;
        return (key >>> 14 & 3) << 20 | (key & 7) << 17 | (key >>> 11 & 7) << 14 | (key >>> 7 & 15) << 10 | rt << 5
                | (key >>> 3 & 15) << 1 | (read ? 1 : 0);
    }

    private UndefinedInstruction trap(int exceptionClass, long iss) {
        undefined.esr = (long) exceptionClass << 26 | 1 << 25 | iss;
        return undefined;
    }

    private UndefinedInstruction undefined() {
        return trap(0, 0);
    }

    private UndefinedInstruction unknown(int key) {
        unknownCount++;
        UnknownAccess before = unknown.get(key);
        if (before != null || unknown.size() < REMEMBERED_UNKNOWNS) {
            unknown.put(key, new UnknownAccess(key, s.pc, before == null ? 1 : before.count() + 1));
        }
        return undefined();
    }

    /** {@return the encodings the guest used that no row knows, by key; at most 256 are remembered} */
    public List<UnknownAccess> unknownAccesses() {
        return List.copyOf(unknown.values());
    }

    /** {@return how often the guest used an encoding that no row knows} */
    public long unknownCount() {
        return unknownCount;
    }

    // PSTATE

    /**
     * MSR (immediate): SPSel, PAN, UAO, DIT, SSBS, DAIFSet and DAIFClr.
     *
     * @param op1 instruction bits 18:16
     * @param op2 instruction bits 7:5
     * @param imm instruction bits 11:8
     */
    public void writePstate(int op1, int op2, int imm) {
        switch (op1 << 3 | op2) {
            case 3 -> writeFlag(SystemRegister.UAO, imm);
            case 4 -> writeFlag(SystemRegister.PAN, imm);
            case 5 -> {
                requireEl1();
                s.switchStack(1, imm & 1);
            }
            case 25 -> writeFlag(SystemRegister.SSBS, imm);
            case 26 -> writeFlag(SystemRegister.DIT, imm);
            case 30, 31 -> {
                if (s.el == 0 && !sctlr(SCTLR_UMA)) {
                    throw trap(EC_TRAPPED_SYSTEM, systemIss(key(0, op1, 4, imm, op2), false));
                }
                s.daif = op2 == 6 ? s.daif | imm << 6 : s.daif & ~(imm << 6);
            }
            default -> throw undefined();
        }
    }

    private void requireEl1() {
        if (s.el == 0) {
            throw undefined();
        }
    }

    private void writeFlag(SystemRegister register, int imm) {
        writeSlot(slot(register.key), (imm & 1) != 0 ? register.writeMask : 0);
    }

    /** PSTATE.EL, PAN or UAO changed behind this object's back: updates what depends on them. */
    public void contextChanged() {
        mmu.contextChanged();
        updateFpTrap();
    }

    private void updateFpTrap() {
        int fpen = (int) (value(SystemRegister.CPACR_EL1) >>> 20) & 3;
        s.fpTrapped = fpen == 0 || fpen == 2 || fpen == 1 && s.el == 0;
    }

    /** {@return the full ESR of the exception that an FP or SIMD instruction takes while {@code s.fpTrapped}} */
    public static long fpTrapEsr() {
        return (long) EC_TRAPPED_FP << 26 | 1 << 25 | CONDITION_ALWAYS;
    }

    /** {@return the full ESR of the trap that WFI (or WFE) takes now, 0 when it is allowed} */
    public long waitTrapEsr(boolean wfe) {
        if (s.el == 1 || sctlr(wfe ? SCTLR_NTWE : SCTLR_NTWI)) {
            return 0;
        }
        return (long) EC_TRAPPED_WAIT << 26 | 1 << 25 | CONDITION_ALWAYS | (wfe ? 1 : 0);
    }

    /** {@return whether a load or store with SP as its base faults now when SP is not 16-byte aligned} */
    public boolean stackAlignmentChecked() {
        return sctlr(s.el == 0 ? SCTLR_SA0 : SCTLR_SA);
    }

    /** {@return whether PSTATE.BTYPE exists} */
    boolean hasBranchTargets() {
        return hasBranchTargets;
    }

    /** {@return whether PACIASP and PACIBSP refuse branches by registers other than X16 and X17 now} */
    public boolean branchTargetsAreStrict() {
        return sctlr(s.el == 0 ? SCTLR_BT0 : SCTLR_BT1);
    }

    /** {@return the timers} */
    public GenericTimers timers() {
        return timers;
    }

    private boolean sctlr(long bit) {
        return (value(SystemRegister.SCTLR_EL1) & bit) != 0;
    }

    /** {@return whether PSTATE.SSBS is set on exception entry} */
    boolean ssbsOnEntry() {
        return hasSsbs && sctlr(SCTLR_DSSBS);
    }

    long value(SystemRegister register) {
        return r[register.ordinal()];
    }

    void set(SystemRegister register, long value) {
        r[register.ordinal()] = value;
    }

    // SYS operations

    /**
     * SYS: cache and TLB maintenance, DC ZVA and AT.
     *
     * @throws Abort                a translation fault of an operation by VA
     * @throws UndefinedInstruction not an operation, or trapped
     */
    public void sys(int key, long value) {
        SystemOperation operation = SystemOperation.of(key);
        if (operation == null || !exists(operation)) {
            throw unknown(key);
        }
        if (s.el == 0) {
            if (!operation.el0) {
                throw undefined();
            }
            if (!sctlr(operation == SystemOperation.DC_ZVA ? SCTLR_DZE : SCTLR_UCI)) {
                throw trap(EC_TRAPPED_SYSTEM, systemIss(key, false));
            }
        }
        switch (operation) {
            case DC_ZVA -> mmu.zeroBlock(value);
            case DC_CVAC, DC_CVAU, DC_CVAP, DC_CVADP, DC_CIVAC -> mmu.hostForMaintenance(value, false);
            case DC_IVAC -> mmu.hostForMaintenance(value, true);
            // one coherent cache for all: set/way operations have nothing to do
            case DC_ISW, DC_CSW, DC_CISW -> { }
            case IC_IVAU -> code.invalidateCode(mmu.hostForMaintenance(value, false) & -64);
            case IC_IALLU, IC_IALLUIS -> code.invalidateAllCode();
            case AT_S1E1R -> translate(value, false, false, false);
            case AT_S1E1W -> translate(value, false, true, false);
            case AT_S1E0R -> translate(value, true, false, false);
            case AT_S1E0W -> translate(value, true, true, false);
            case AT_S1E1RP -> translate(value, false, false, s.pan);
            case AT_S1E1WP -> translate(value, false, true, s.pan);
            case TLBI_VMALLE1 -> mmu.invalidate(Mmu.TLBI_ALL, 0);
            case TLBI_VAE1, TLBI_VALE1 -> mmu.invalidate(Mmu.TLBI_VA, value);
            case TLBI_ASIDE1 -> mmu.invalidate(Mmu.TLBI_ASID, value);
            case TLBI_VAAE1, TLBI_VAALE1 -> mmu.invalidate(Mmu.TLBI_VA_ALL_ASID, value);
            case TLBI_RVAE1, TLBI_RVAAE1, TLBI_RVALE1, TLBI_RVAALE1 -> mmu.invalidate(Mmu.TLBI_RANGE, value);
            // nobody is outside the inner shareable domain
            case TLBI_VMALLE1IS, TLBI_VMALLE1OS -> invalidateEverywhere(Mmu.TLBI_ALL, 0);
            case TLBI_VAE1IS, TLBI_VALE1IS, TLBI_VAE1OS, TLBI_VALE1OS -> invalidateEverywhere(Mmu.TLBI_VA, value);
            case TLBI_ASIDE1IS, TLBI_ASIDE1OS -> invalidateEverywhere(Mmu.TLBI_ASID, value);
            case TLBI_VAAE1IS, TLBI_VAALE1IS, TLBI_VAAE1OS, TLBI_VAALE1OS ->
                invalidateEverywhere(Mmu.TLBI_VA_ALL_ASID, value);
            case TLBI_RVAE1IS, TLBI_RVAAE1IS, TLBI_RVALE1IS, TLBI_RVAALE1IS, TLBI_RVAE1OS, TLBI_RVAAE1OS, TLBI_RVALE1OS,
                TLBI_RVAALE1OS -> invalidateEverywhere(Mmu.TLBI_RANGE, value);
        }
    }

    /** SYS by fields; see {@link #sys(int, long)}. */
    public void sys(int op1, int crn, int crm, int op2, long value) {
        sys(key(1, op1, crn, crm, op2), value);
    }

    /** SYSL: none exists. {@return never} */
    public long sysl(int op1, int crn, int crm, int op2) {
        throw unknown(key(1, op1, crn, crm, op2));
    }

    private void translate(long va, boolean el0, boolean write, boolean pan) {
        set(SystemRegister.PAR_EL1, mmu.translateStage1(va, el0, write, pan));
    }

    private void invalidateEverywhere(long op, long operand) {
        mmu.invalidate(op, operand);
        domain.broadcast(op, operand);
    }
}
