package gunyah.arm64.interp;

import static gunyah.memory.UncheckedArray.get;
import static gunyah.memory.UncheckedArray.set;

import gunyah.arm64.Cpu;
import gunyah.arm64.InnerShareable;
import gunyah.arm64.decode.BranchTarget;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.decode.StackPointer;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.semantics.Conditional;
import gunyah.arm64.semantics.Flags;
import gunyah.arm64.semantics.Shift;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.Exceptions;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.Translator;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;

/**
 * Executes pre-decoded instructions of one CPU. The commonest forms are executed in line by a switch over
 * {@link Insn#op}, all others through their row's semantics. Retired instructions are counted exactly: the count is the
 * slot number plus a base that every taken branch corrects, so straight code pays nothing for it. Attention is polled at
 * backward branches, indirect branches, page changes and instructions that may change the execution context.
 *
 * <p>The loop has few local variables, and its slow parts are methods of their own: whatever lives across the switch is
 * stored and loaded again for every instruction (docs/adr/0004-interpreter-flags.md).
 *
 * <p>The budget is exact too: when it may end within the next page of straight code, instructions are executed one by
 * one out of a scratch page whose other slots are end marks.
 */
public final class Interpreter {
    private static final int PAGE_CACHE = 512;
    private static final int JUMP_CACHE = 4096;
    private static final int LR = 30;
    private static final long LOW = 0xFFFF_FFFFL;

    private final Cpu cpu;
    private final CpuState s;
    private final long[] x;
    private final Mmu mmu;
    private final VcpuControl control;
    private final InnerShareable domain;
    /** Whether to run translated code. */
    private final boolean translated;
    /** The region that was left last, and its page, until the next jump; null: none was. */
    private Region left;
    private CodePage leftPage;
    /** Has a say before regions run; null: they just run. */
    private final RegionGate gate;

    /** Code pages by virtual page: the tag is the page's address with the exception level in the low bits. */
    private final long[] tags = new long[PAGE_CACHE];
    private final CodePage[] pages = new CodePage[PAGE_CACHE];
    private final boolean[] guarded = new boolean[PAGE_CACHE];
    /** Regions by the PC they are entered at. */
    private final Known[] known = new Known[JUMP_CACHE];
    /** What is known of another time counts no more. */
    private int knownTime;
    private int evictions;
    private int fetchGeneration;
    private int codeGeneration;

    /** Where a region was entered. */
    private static final class Known {
        /** The PC, with the exception level in bit 0. */
        private long tag = -1;
        private int time;
        private Region region;
        private CodePage page;
    }

    /** The scratch page of exact budgets; all end marks but for {@link #singleSlot}. */
    private final Insn[] single = new Insn[CodePage.SLOTS + 1];
    private int singleSlot;
    private Insn faulting = CodePage.UNDECODED;
    /**
     * Address of the page being executed, and the retired count of its slot 0. In memory: as locals, sums of them that
     * several cases need would be computed before the switch (see {@link #apart}).
     */
    private long pageVa;
    private long base;
    /** One more than the slot of the jump by register that was the last instruction, else 0. */
    private int jumpedFrom;
    /** The page being executed. */
    private CodePage page;
    /** Where in the page the code was entered that is executed without a jump since, and the retired count then. */
    private int warming;
    private long warmed;
    /** Retired count from which a page of straight code might exceed the budget. */
    private long careful;

    /** An interpreter that goes on in translated code where the domain has it. */
    public Interpreter(Cpu cpu) {
        this(cpu, cpu.domain.translator());
    }

    /** @param translator of the regions that it runs; null for one that runs none */
    Interpreter(Cpu cpu, Translator translator) {
        this.cpu = cpu;
        translated = translator != null;
        s = cpu.s;
        x = cpu.x;
        mmu = cpu.mmu;
        control = cpu.control;
        domain = cpu.domain;
        Arrays.fill(tags, -1);
        if (translated) {
            Arrays.setAll(known, index -> new Known());
        }
        Arrays.fill(single, CodePage.PAGE_END);
        gate = translator == null ? null : translator.gates().of(cpu);
    }

    /** {@return the instruction that the last {@link Abort} or {@link UndefinedInstruction} left} */
    public Insn faulting() {
        return faulting;
    }

    /** {@return the page of decoded code at {@code pc}} @throws Abort when nothing can be fetched there */
    CodePage page(long pc) {
        if (mmu.fetchGeneration() != fetchGeneration || domain.codeGeneration() != codeGeneration) {
            fetchGeneration = mmu.fetchGeneration();
            codeGeneration = domain.codeGeneration();
            Arrays.fill(tags, -1);
            knownTime++;
        }
        int index = (int) (pc >>> 12) & PAGE_CACHE - 1;
        // a misaligned PC never matches and faults in the translation
        long tag = pc & -4093 | s.el << 2;
        return tags[index] == tag ? pages[index] : fill(pc, index, tag);
    }

    private CodePage fill(long pc, int index, long tag) {
        faulting = CodePage.UNDECODED;
        CodePage page = domain.codePage(mmu.hostForFetch(pc) & -4096);
        guarded[index] = mmu.isGuarded(pc);
        page.checkAgainstMemory(codeGeneration);
        tags[index] = tag;
        pages[index] = page;
        return page;
    }

    /**
     * Runs translated code, and what it jumps to as long as that is translated, too. {@return false when there is none,
     * the budget is too small, or it did nothing}
     */
    private boolean runRegions(CodePage page, int slot, long end) {
        // before the region is looked for: one that is forgotten in between must not be noted as found after that
        if (domain.evictions() != evictions) {
            evictions = domain.evictions();
            knownTime++;
        }
        Region region = page.region(slot);
        if (region == null || s.retired >= end - region.stride()) {
            return false;
        }
        long before = s.retired;
        long pc = s.pc;
        Known entry = known[jumpIndex(pc)];
        remember(entry, pc, page, region);
        try {
            long count;
            do {
                count = s.retired;
                region = entry.region;
                long last = gate == null ? end : gate.limit(region, end);
                if (last != end && count >= last - region.stride()) {
                    break;
                }
                region.run(cpu, pc & -4096, (int) pc >>> 2 & CodePage.SLOTS - 1, last - region.stride());
                pc = s.pc;
                Known next = known[jumpIndex(pc)];
                if ((next.tag != (pc | s.el) || next.time != knownTime || (pc & 3) != 0) && !isRegion(pc, next)) {
                    break;
                }
                entry = next;
            } while (s.btype == 0 && s.retired != count && s.retired < end - entry.region.stride() && control.peek() == 0
                    && (x[CpuState.SP] & 15) == 0 && !cpu.isLeaving() && !s.il && isFetchUnchanged());
        } catch (Abort | UndefinedInstruction reason) {
            faulting = entry.page.insn((int) s.pc >>> 2 & CodePage.SLOTS - 1);
            throw reason;
        }
        if (gate != null) {
            gate.left();
        }
        left = entry.region;
        leftPage = entry.page;
        return s.retired != before;
    }

    /** Functions begin at multiples of 16 bytes, so the page says more about an address than its place there. */
    private static int jumpIndex(long pc) {
        return (int) (pc >>> 2 ^ pc >>> 10) & JUMP_CACHE - 1;
    }

    private void remember(Known entry, long pc, CodePage page, Region region) {
        entry.tag = pc | s.el;
        entry.time = knownTime;
        entry.region = region;
        entry.page = page;
    }

    /** {@return whether there is a region for {@code pc} in a known page} Remembers it in {@code entry}. */
    private boolean isRegion(long pc, Known entry) {
        int index = (int) (pc >>> 12) & PAGE_CACHE - 1;
        // a misaligned PC never matches
        if (tags[index] != (pc & -4093 | s.el << 2)) {
            return false;
        }
        Region region = pages[index].region((int) pc >>> 2 & CodePage.SLOTS - 1);
        if (region != null) {
            remember(entry, pc, pages[index], region);
        }
        return region != null;
    }

    /** {@return whether there is a region for the slot} What a region leaves for, but for a retry by us, gets hot sooner. */
    private boolean isTranslated(int slot) {
        Region from = left;
        left = null;
        boolean continues = from != null && page.region(slot) == null;
        if (continues) {
            if (page == leftPage && from.covers(slot) && Region.mayMiss(page.insn(slot))) {
                // no region begins there, and the next jump comes back
                warming = CodePage.SLOTS;
                return false;
            }
            page.warmByRegion(slot);
        }
        return page.isTranslatedAt(slot);
    }

    /** Counts what was executed since the last jump for the place where that began; the next begins at the slot. */
    private void warm(long retired, int slot) {
        // straight code ends with its page; the mask is for a count that was set anew
        page.warm(warming, (int) (retired - warmed) & 2 * CodePage.SLOTS - 1);
        warmed = retired;
        warming = slot;
    }

    /** A jump to a slot of the page. {@return whether there is a region for it} */
    private boolean jumped(int slot) {
        if (!translated) {
            return false;
        }
        warm(base + slot, slot);
        return page.isTranslatedAt(slot);
    }

    private boolean isFetchUnchanged() {
        return mmu.fetchGeneration() == fetchGeneration && domain.codeGeneration() == codeGeneration
                && domain.evictions() == evictions;
    }

    private Insn[] singleSlot(CodePage page, int slot) {
        single[singleSlot] = CodePage.PAGE_END;
        singleSlot = slot;
        Insn insn = page.insns[slot];
        single[slot] = insn == CodePage.UNDECODED ? page.decode(slot) : insn;
        return single;
    }

    /** {@return whether the page of the instruction at the PC is guarded} */
    public boolean isInGuardedPage() {
        page(s.pc);
        return guarded[(int) (s.pc >>> 12) & PAGE_CACHE - 1];
    }

    /** The first instruction after a branch by register: in a guarded page one that such a branch may go to. */
    private void land(Insn insn) {
        if (isInGuardedPage() && !BranchTarget.accepts(insn.word, s.btype, cpu.sys.branchTargetsAreStrict())) {
            faulting = insn;
            throw cpu.trap(Exceptions.BRANCH_TARGET | s.btype);
        }
        if (!BranchTarget.isBreakpoint(insn.word)) {
            s.btype = 0;
        }
    }

    /** SP is misaligned: instructions are executed one by one, and those with SP as their base are refused. */
    private void checkStack(Insn insn) {
        boolean trapsFirst = s.fpTrapped && (insn.word >>> 26 & 1) == 1;
        if (StackPointer.isBase(insn.word) && insn.row != Decoder.UNALLOCATED && !trapsFirst) {
            faulting = insn;
            throw cpu.trap(Exceptions.SP_ALIGNMENT);
        }
    }

    /**
     * No instruction: what the case reads is read behind it. C2 would read the operands of all cases before the switch,
     * once, and keep them on the stack: fifty machine instructions for each of the guest's.
     */
    private static void apart() {
        VarHandle.acquireFence();
    }

    // What needs a long out of the slot is not in line: C2 would compute it before the switch, for every instruction.

    /** Brings PC and count up to date: the instruction before slot {@code next} is about to be executed. */
    private void before(int next) {
        s.pc = pageVa + ((long) next << 2) - 4;
        s.retired = base + next - 1;
    }

    /** Counts the instruction before slot {@code next}. */
    private void retire(int next) {
        s.retired = base + next;
    }

    /** Goes to an address, by the instruction before slot {@code next}. */
    private void go(long address, int next) {
        s.pc = mmu.branchAddress(address);
        s.retired = base + next;
        jumpedFrom = next;
    }

    /** Tells the page, which is still that of the jump, where a jump by register went. */
    private void noteJump() {
        long offset = s.pc - pageVa;
        if (translated && (offset & -4 * CodePage.SLOTS) == 0) {
            page.jumped(jumpedFrom, (int) offset >>> 2);
        }
        jumpedFrom = 0;
    }

    /** Slot {@code next} is where to return to. */
    private void link(int next) {
        x[LR] = pageVa + ((long) next << 2);
    }

    private static long offset(long[] x, Insn insn) {
        long value = get(x, insn.rm);
        int option = insn.b;
        if (option == Shift.UXTW) {
            value &= LOW;
        } else if (option == Shift.SXTW) {
            value = (int) value;
        }
        return value << insn.a;
    }

    /**
     * Runs until the attention word is set, the CPU wants to leave, PSTATE.IL is set or {@code end} instructions have
     * retired; PC and count are exact then, and also when an instruction leaves by exception.
     *
     * @throws Abort                when an access did not succeed
     * @throws UndefinedInstruction when the instruction is to trap
     */
    public void run(long end) {
        final long[] x = Objects.requireNonNull(this.x);
        careful = end - CodePage.SLOTS;
        while (control.peek() == 0 && s.retired < end && !s.il && !cpu.isLeaving()) {
            if (jumpedFrom != 0) {
                noteJump();
            }
            int i = (int) s.pc >>> 2 & CodePage.SLOTS - 1;
            if (translated && page != null) {
                warm(s.retired, i);
            }
            page = page(s.pc);
            pageVa = s.pc & -4096;
            if (s.btype != 0) {
                land(page.insn(i));
            }
            boolean misaligned = (x[CpuState.SP] & 15) != 0 && cpu.sys.stackAlignmentChecked();
            if (misaligned) {
                checkStack(page.insn(i));
            } else if (translated && isTranslated(i) && runRegions(page, i, end)) {
                warmed = s.retired;
                continue;
            }
            base = s.retired - i;
            Insn[] insns = page.insns;
            if (misaligned || s.retired >= careful) {
                insns = singleSlot(page, i);
            }
            // so that C2 need not ask at each instruction
            Objects.requireNonNull(insns);
            try {
                execute:
                for (;;) {
                    Insn insn = insns[i++];
                    long out;
                    taken: {
                        switch (insn.op) {
                            // and every op that is rare in real code: C2 stops to inline at a number of nodes
                            default:
                                apart();
                                before(i);
                                insn.semantics.execute(cpu, insn);
                                continue;
                            case Ops.CALL_BRANCH:
                                apart();
                                before(i);
                                insn.semantics.execute(cpu, insn);
                                retire(i);
                                break execute;
                            case Ops.CALL_STACK:
                                apart();
                                before(i);
                                insn.semantics.execute(cpu, insn);
                                if ((x[CpuState.SP] & 15) == 0) {
                                    continue;
                                }
                                before(i + 1);
                                break execute;
                            case Ops.UNDECODED:
                                i--;
                                page.decode(i);
                                continue;
                            case Ops.PAGE_END:
                                before(i);
                                break execute;
                            case Ops.NOP:
                                continue;
                            case Ops.CONST:
                                apart();
                                out = insn.imm;
                                break;
                            case Ops.MOVK_X:
                                apart();
                                out = get(x, insn.rd) & ~(0xFFFFL << insn.a) | insn.imm;
                                break;
                            case Ops.ADRP:
                                apart();
                                out = pageVa + insn.imm;
                                break;
                            case Ops.ADD_IMM_X:
                                apart();
                                out = get(x, insn.rn) + insn.imm;
                                break;
                            case Ops.ADD_IMM_W:
                                apart();
                                out = get(x, insn.rn) + insn.imm & LOW;
                                break;
                            case Ops.ADDS_IMM_X: {
                                apart();
                                long left = get(x, insn.rn);
                                long result = left + insn.imm;
                                s.nzcv = Flags.add64(left, insn.imm, result);
                                out = result;
                                break;
                            }
                            case Ops.ADDS_IMM_W: {
                                apart();
                                int left = (int) get(x, insn.rn);
                                int result = left + (int) insn.imm;
                                s.nzcv = Flags.add32(left, (int) insn.imm, result);
                                out = result & LOW;
                                break;
                            }
                            case Ops.SUBS_IMM_X: {
                                apart();
                                long left = get(x, insn.rn);
                                long result = left - insn.imm;
                                s.nzcv = Flags.sub64(left, insn.imm, result);
                                out = result;
                                break;
                            }
                            case Ops.SUBS_IMM_W: {
                                apart();
                                int left = (int) get(x, insn.rn);
                                int result = left - (int) insn.imm;
                                s.nzcv = Flags.sub32(left, (int) insn.imm, result);
                                out = result & LOW;
                                break;
                            }
                            case Ops.ADD_LSL_X:
                                apart();
                                out = get(x, insn.rn) + (get(x, insn.rm) << insn.a);
                                break;
                            case Ops.ADD_LSL_W:
                                apart();
                                out = get(x, insn.rn) + (get(x, insn.rm) << insn.a) & LOW;
                                break;
                            case Ops.SUB_LSL_X:
                                apart();
                                out = get(x, insn.rn) - (get(x, insn.rm) << insn.a);
                                break;
                            case Ops.SUB_LSL_W:
                                apart();
                                out = get(x, insn.rn) - (get(x, insn.rm) << insn.a) & LOW;
                                break;
                            case Ops.SUBS_LSL_X: {
                                apart();
                                long left = get(x, insn.rn);
                                long right = get(x, insn.rm) << insn.a;
                                long result = left - right;
                                s.nzcv = Flags.sub64(left, right, result);
                                out = result;
                                break;
                            }
                            case Ops.SUBS_LSL_W: {
                                apart();
                                int left = (int) get(x, insn.rn);
                                int right = (int) get(x, insn.rm) << insn.a;
                                int result = left - right;
                                s.nzcv = Flags.sub32(left, right, result);
                                out = result & LOW;
                                break;
                            }
                            case Ops.ADD_EXT_X:
                                apart();
                                out = get(x, insn.rn) + Shift.extend(get(x, insn.rm), insn.b, insn.a);
                                break;
                            case Ops.AND_IMM:
                                apart();
                                out = get(x, insn.rn) & insn.imm;
                                break;
                            case Ops.ORR_IMM_X:
                                apart();
                                out = get(x, insn.rn) | insn.imm;
                                break;
                            case Ops.ANDS_IMM_X: {
                                apart();
                                long result = get(x, insn.rn) & insn.imm;
                                s.nzcv = Flags.logical64(result);
                                out = result;
                                break;
                            }
                            case Ops.ANDS_IMM_W: {
                                apart();
                                int result = (int) (get(x, insn.rn) & insn.imm);
                                s.nzcv = Flags.logical32(result);
                                out = result & LOW;
                                break;
                            }
                            case Ops.AND_LSL_X:
                                apart();
                                out = get(x, insn.rn) & get(x, insn.rm) << insn.a;
                                break;
                            case Ops.ORR_LSL_X:
                                apart();
                                out = get(x, insn.rn) | get(x, insn.rm) << insn.a;
                                break;
                            case Ops.ORR_LSL_W:
                                apart();
                                out = (get(x, insn.rn) | get(x, insn.rm) << insn.a) & LOW;
                                break;
                            case Ops.EOR_LSL_X:
                                apart();
                                out = get(x, insn.rn) ^ get(x, insn.rm) << insn.a;
                                break;
                            case Ops.EOR_LSL_W:
                                apart();
                                out = (get(x, insn.rn) ^ get(x, insn.rm) << insn.a) & LOW;
                                break;
                            case Ops.ADD_SHIFT_X:
                                apart();
                                out = get(x, insn.rn) + Shift.shift64(get(x, insn.rm), insn.b, insn.a);
                                break;
                            case Ops.SUB_SHIFT_X:
                                apart();
                                out = get(x, insn.rn) - Shift.shift64(get(x, insn.rm), insn.b, insn.a);
                                break;
                            case Ops.BIC_LSL_X:
                                apart();
                                out = get(x, insn.rn) & ~(get(x, insn.rm) << insn.a);
                                break;
                            case Ops.MOV_X:
                                apart();
                                out = get(x, insn.rm);
                                break;
                            case Ops.MOV_W:
                                apart();
                                out = get(x, insn.rm) & LOW;
                                break;
                            case Ops.UBFX:
                                apart();
                                out = get(x, insn.rn) >>> insn.a & insn.imm;
                                break;
                            case Ops.UBFIZ:
                                apart();
                                out = (get(x, insn.rn) & insn.imm) << insn.a;
                                break;
                            case Ops.SBFM_X:
                                apart();
                                out = get(x, insn.rn) << insn.a >> insn.b;
                                break;
                            case Ops.EXTR_W:
                                apart();
                                out = (get(x, insn.rn) << 32 | get(x, insn.rm) & LOW) >>> insn.a & LOW;
                                break;
                            case Ops.LSLV_X:
                                apart();
                                out = get(x, insn.rn) << get(x, insn.rm);
                                break;
                            case Ops.LSRV_X:
                                apart();
                                out = get(x, insn.rn) >>> get(x, insn.rm);
                                break;
                            case Ops.MADD_X:
                                apart();
                                out = get(x, insn.ra) + get(x, insn.rn) * get(x, insn.rm);
                                break;
                            case Ops.CSEL_X:
                                apart();
                                out = Flags.holds(insn.a, s.nzcv) ? get(x, insn.rn) : get(x, insn.rm);
                                break;
                            case Ops.CSINC_X:
                                apart();
                                out = Flags.holds(insn.a, s.nzcv) ? get(x, insn.rn) : get(x, insn.rm) + 1;
                                break;
                            case Ops.CSINC_W:
                                apart();
                                out = (Flags.holds(insn.a, s.nzcv) ? get(x, insn.rn) : get(x, insn.rm) + 1) & LOW;
                                break;
                            case Ops.CCMP:
                                apart();
                                s.nzcv = Conditional.compared(x, insn, s.nzcv);
                                continue;
                            case Ops.B:
                                apart();
                                break taken;
                            case Ops.BL:
                                apart();
                                link(i);
                                break taken;
                            case Ops.B_COND:
                                apart();
                                if (Flags.holds(insn.a, s.nzcv)) {
                                    break taken;
                                }
                                continue;
                            case Ops.CBZ_X:
                                apart();
                                if (get(x, insn.rn) == 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.CBZ_W:
                                apart();
                                if ((int) get(x, insn.rn) == 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.CBNZ_X:
                                apart();
                                if (get(x, insn.rn) != 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.CBNZ_W:
                                apart();
                                if ((int) get(x, insn.rn) != 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.TBZ:
                                apart();
                                if ((get(x, insn.rn) >>> insn.a & 1) == 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.TBNZ:
                                apart();
                                if ((get(x, insn.rn) >>> insn.a & 1) != 0) {
                                    break taken;
                                }
                                continue;
                            case Ops.BR:
                                apart();
                                go(get(x, insn.rn), i);
                                break execute;
                            case Ops.BLR:
                                apart();
                                go(get(x, insn.rn), i);
                                link(i);
                                break execute;
                            case Ops.LDR_X:
                                apart();
                                out = mmu.read64(get(x, insn.rn) + insn.imm);
                                break;
                            case Ops.LDR_W:
                                apart();
                                out = mmu.read32(get(x, insn.rn) + insn.imm) & LOW;
                                break;
                            case Ops.LDRH:
                                apart();
                                out = mmu.read16(get(x, insn.rn) + insn.imm);
                                break;
                            case Ops.LDRB:
                                apart();
                                out = mmu.read8(get(x, insn.rn) + insn.imm);
                                break;
                            case Ops.STR_X:
                                apart();
                                mmu.write64(get(x, insn.rn) + insn.imm, get(x, insn.rd));
                                continue;
                            case Ops.STR_W:
                                apart();
                                mmu.write32(get(x, insn.rn) + insn.imm, (int) get(x, insn.rd));
                                continue;
                            case Ops.STRB:
                                apart();
                                mmu.write8(get(x, insn.rn) + insn.imm, (int) get(x, insn.rd));
                                continue;
                            case Ops.LDR_X_REG:
                                apart();
                                out = mmu.read64(get(x, insn.rn) + offset(x, insn));
                                break;
                            case Ops.LDR_W_REG:
                                apart();
                                out = mmu.read32(get(x, insn.rn) + offset(x, insn)) & LOW;
                                break;
                            case Ops.LDRB_REG:
                                apart();
                                out = mmu.read8(get(x, insn.rn) + offset(x, insn));
                                break;
                            case Ops.STR_X_REG:
                                apart();
                                mmu.write64(get(x, insn.rn) + offset(x, insn), get(x, insn.rd));
                                continue;
                            case Ops.LDR_X_WB: {
                                apart();
                                long at = get(x, insn.rn);
                                long value = mmu.read64(at + insn.a);
                                set(x, insn.rn, at + insn.b);
                                out = value;
                                break;
                            }
                            case Ops.STR_X_WB: {
                                apart();
                                long at = get(x, insn.rn);
                                mmu.write64(at + insn.a, get(x, insn.rd));
                                set(x, insn.rn, at + insn.b);
                                continue;
                            }
                            case Ops.LDRB_WB: {
                                apart();
                                long at = get(x, insn.rn);
                                long value = mmu.read8(at + insn.a);
                                set(x, insn.rn, at + insn.b);
                                out = value;
                                break;
                            }
                            case Ops.LDP_X: {
                                apart();
                                long at = get(x, insn.rn);
                                long first = mmu.read64(at + insn.a);
                                long second = mmu.read64(at + insn.a + 8);
                                set(x, insn.rn, at + insn.b);
                                set(x, insn.rd, first);
                                set(x, insn.ra, second);
                                continue;
                            }
                            case Ops.STP_X: {
                                apart();
                                long at = get(x, insn.rn);
                                mmu.write64(at + insn.a, get(x, insn.rd));
                                mmu.write64(at + insn.a + 8, get(x, insn.ra));
                                set(x, insn.rn, at + insn.b);
                                continue;
                            }
                        }
                        set(x, insn.rd, out);
                        continue;
                    }
                    int jump = (int) insn.imm;
                    i += jump - 1;
                    base += 1 - jump;
                    if ((jump <= 0 || insn.op == Ops.BL) && (control.peek() != 0 || base + i >= careful
                            || (i & -CodePage.SLOTS) == 0 && jumped(i))
                            || (i & -CodePage.SLOTS) != 0) {
                        before(i + 1);
                        break execute;
                    }
                }
            } catch (Abort | UndefinedInstruction reason) {
                before(i);
                faulting = insns[i - 1];
                throw reason;
            }
        }
    }
}
