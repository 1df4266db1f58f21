package gunyah.arm64.interp;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.disasm.Disassembler;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.mmu.TrialMemory;
import gunyah.arm64.mmu.TrialStop;
import gunyah.arm64.state.Abort;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.UndefinedInstruction;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.RegionGate;
import java.util.IdentityHashMap;
import java.util.Map;

/** The trials of {@link LockStep} on one CPU. Its thread only. */
final class RegionTrial implements RegionGate {
    private static final int ALWAYS = 100;
    /** A loop is tried for about so many instructions. */
    private static final int LONGEST = 4_096;
    private static final int ROUNDS = 64;
    /** So often the memory of a region is found anew: it touches other pages with time. */
    private static final int FORGET = 16;
    private static final TrialMemory.Known NOTHING = new TrialMemory.Known(new long[0], new long[0][]);

    /** What is known of a region. */
    private static final class Record {
        long entered;
        boolean differs;
        TrialMemory.Known memory = NOTHING;
    }

    private enum Outcome {
        SAME, DIFFERENT, UNFINISHED
    }

    private final Cpu cpu;
    private final CpuState s;
    private final Mmu mmu;
    private final LockStep lockStep;
    private final int every;
    private final Interpreter reference;
    private final TrialMemory memory = new TrialMemory();
    private final CpuState before = new CpuState();
    private final CpuState after = new CpuState();
    private final Map<Region, Record> records = new IdentityHashMap<>();
    private String difference;

    RegionTrial(Cpu cpu, LockStep lockStep, int every) {
        this.cpu = cpu;
        s = cpu.s;
        mmu = cpu.mmu;
        this.lockStep = lockStep;
        this.every = every;
        reference = new Interpreter(cpu, null);
    }

    @Override
    public long limit(Region region, long end) {
        Record record = records.computeIfAbsent(region, key -> new Record());
        if (record.differs) {
            return 0;
        }
        record.entered++;
        if ((record.entered <= ALWAYS || record.entered % every == 0) && tryOut(region, record, end)) {
            record.differs = true;
            return 0;
        }
        return end;
    }

    /** {@return whether the tiers differ} */
    private boolean tryOut(Region region, Record record, long end) {
        CodePage page = reference.page(s.pc);
        before.copyFrom(s);
        mmu.beginTrial(memory);
        Outcome outcome = null;
        try {
            memory.preload(record.entered % FORGET == 0 ? NOTHING : record.memory);
            long limit = Math.min(end - region.stride(), s.retired + LONGEST);
            for (int round = 0; round < ROUNDS && outcome == null; round++) {
                outcome = round(region, page, limit);
                s.copyFrom(before);
                memory.rewind();
            }
            record.memory = memory.known();
        } finally {
            mmu.endTrial();
            memory.clear();
            s.copyFrom(before);
        }
        note(region, page, outcome);
        return outcome == Outcome.DIFFERENT;
    }

    private void note(Region region, CodePage page, Outcome outcome) {
        if (outcome == null || outcome == Outcome.UNFINISHED) {
            lockStep.notFinished();
        } else if (outcome == Outcome.DIFFERENT) {
            lockStep.differed(report(region, page));
        } else if (after.retired == before.retired) {
            lockStep.nothingToCompare();
        } else {
            lockStep.agreed(after.retired - before.retired);
        }
    }

    /** Both tiers, one after the other. {@return null when it has to be done again with more memory} */
    private Outcome round(Region region, CodePage page, long limit) {
        RuntimeException left = null;
        try {
            region.run(cpu, s.pc & -4096, (int) s.pc >>> 2 & CodePage.SLOTS - 1, limit);
        } catch (TrialStop | Abort | UndefinedInstruction reason) {
            if (reason == TrialStop.AGAIN) {
                return null;
            }
            left = reason;
        }
        String fault = describe(left);
        after.copyFrom(s);
        memory.keep();
        if (left == null && missedMemory(page)) {
            return null;
        }
        s.copyFrom(before);
        memory.rewind();
        RuntimeException stopped = interpret(after.retired);
        if (stopped == TrialStop.AGAIN) {
            return null;
        }
        if (stopped == null && s.retired < after.retired && cpu.control.peek() != 0) {
            return Outcome.UNFINISHED;
        }
        if (stopped != null || !s.sameAs(after)) {
            difference = stopped == null ? difference(s, after) : "the interpreter ends with " + describe(stopped);
            return Outcome.DIFFERENT;
        }
        if (!fault.isEmpty()) {
            stopped = interpret(after.retired + 1);
            if (!fault.equals(describe(stopped))) {
                difference = "translated: " + fault + ", interpreted: " + describe(stopped);
                return Outcome.DIFFERENT;
            }
        }
        difference = memory.difference();
        return difference.isEmpty() ? Outcome.SAME : Outcome.DIFFERENT;
    }

    private RuntimeException interpret(long end) {
        try {
            reference.run(end);
            return null;
        } catch (TrialStop | Abort | UndefinedInstruction reason) {
            return reason;
        }
    }

    /** {@return whether the region was left for want of a page that the trial's memory has now} */
    private boolean missedMemory(CodePage page) {
        if ((s.pc ^ before.pc) >>> 12 != 0 || (s.pc & 3) != 0) {
            return false;
        }
        Insn next = page.insn((int) s.pc >>> 2 & CodePage.SLOTS - 1);
        boolean accessesMemory = (next.word >>> 25 & 5) == 4;
        return accessesMemory && interpret(s.retired + 1) == TrialStop.AGAIN;
    }

    /** {@return a fault in words; empty when there is none} */
    private static String describe(RuntimeException reason) {
        return switch (reason) {
            case Abort abort -> "abort 0x%x of 0x%x, stage 2: %b".formatted(abort.iss, abort.far, abort.stage2);
            case UndefinedInstruction undefined -> "exception 0x%x".formatted(undefined.esr);
            case null, default -> "";
        };
    }

    private static String difference(CpuState interpreted, CpuState translated) {
        StringBuilder text = new StringBuilder("interpreted and translated:");
        for (int i = 0; i <= CpuState.SP; i++) {
            add(text, "x" + i, interpreted.x[i], translated.x[i]);
        }
        for (int i = 0; i < interpreted.v.length; i++) {
            add(text, "v%d[%d]".formatted(i / 2, i % 2), interpreted.v[i], translated.v[i]);
        }
        add(text, "pc", interpreted.pc, translated.pc);
        add(text, "pstate", interpreted.spsr(), translated.spsr());
        add(text, "fpcr", interpreted.fpcr, translated.fpcr);
        add(text, "fpsr", interpreted.fpsr, translated.fpsr);
        add(text, "retired", interpreted.retired, translated.retired);
        add(text, "monitor", interpreted.exclusiveHost, translated.exclusiveHost);
        add(text, "monitor's value", interpreted.exclusiveValue, translated.exclusiveValue);
        return text.toString();
    }

    private static void add(StringBuilder text, String name, long interpreted, long translated) {
        if (interpreted != translated) {
            text.append(" %s 0x%x 0x%x".formatted(name, interpreted, translated));
        }
    }

    private String report(Region region, CodePage page) {
        StringBuilder text = new StringBuilder("tiers differ, entered at 0x%x, left at 0x%x after %d: %s%n".formatted(
                before.pc, after.pc, after.retired - before.retired, difference));
        for (int slot : region.slots()) {
            long pc = (before.pc & -4096) + 4L * slot;
            text.append("%x: %s%n".formatted(pc, Disassembler.text(page.insn(slot).word, pc)));
        }
        return text.toString();
    }
}
