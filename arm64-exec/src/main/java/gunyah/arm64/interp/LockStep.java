package gunyah.arm64.interp;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.mmu.TrialStop;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.RegionGates;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Proves translated code while a guest runs: before a region runs, it and the interpreter execute the same instructions
 * from the same state on private copies of the memory they touch, and all registers, flags and bytes must be the same
 * at the region's exit ({@link RegionTrial}). Then the guest goes on by the region itself. A region that differs is
 * reported and never runs. Thread safe.
 *
 * <p>A trial ends before what reaches beyond the CPU: system instructions, register writes, exceptions and their
 * return, reads of timers and of the interrupt controller. Both tiers execute those by the same method.
 */
public final class LockStep implements RegionGates {
    private static final int MOST_REPORTS = 20;

    private final int every;
    private final LongAdder trials = new LongAdder();
    private final LongAdder instructions = new LongAdder();
    private final LongAdder unfinished = new LongAdder();
    private final LongAdder empty = new LongAdder();
    private final List<String> differences = new ArrayList<>();
    private final LongAdder differing = new LongAdder();

    /** @param every of the entries of a region one in so many is tried, after the first hundred; 1 tries all */
    public LockStep(int every) {
        this.every = every;
    }

    @Override
    public RegionGate of(Cpu cpu) {
        return new RegionTrial(cpu, this, every);
    }

    /** Instructions that reach outside stop a trial. */
    @Override
    public Insn prepare(Insn insn) {
        String name = insn.row.name();
        boolean outside = insn.op == Ops.CALL_BRANCH || name.equals("SEV")
                || name.equals("MRS") && !SystemRegisters.isStable(insn.a);
        return !outside ? insn : insn.with((cpu, same) -> {
            if (cpu.mmu.isTrial()) {
                throw TrialStop.OUTSIDE;
            }
            insn.semantics.execute(cpu, same);
        });
    }

    @Override
    public String toString() {
        return "lock-step: " + statistics();
    }

    void agreed(long count) {
        trials.increment();
        instructions.add(count);
    }

    /** The region left before its first instruction. */
    void nothingToCompare() {
        empty.increment();
    }

    /** Something was wanted of the CPU meanwhile, or the memory was too much. */
    void notFinished() {
        unfinished.increment();
    }

    void differed(String what) {
        differing.increment();
        synchronized (differences) {
            if (differences.size() < MOST_REPORTS) {
                differences.add(what);
                System.getLogger(LockStep.class.getName()).log(System.Logger.Level.ERROR, what);
            }
        }
    }

    /** {@return what was compared so far} */
    public Statistics statistics() {
        return new Statistics(trials.sum(), instructions.sum(), empty.sum(), unfinished.sum(), differing.sum());
    }

    /** {@return the first differences, in words} */
    public List<String> differences() {
        synchronized (differences) {
            return List.copyOf(differences);
        }
    }

    /**
     * What was compared.
     *
     * @param trials       executions of regions that were the same
     * @param instructions instructions in them
     * @param empty        executions that left before their first instruction
     * @param unfinished   executions without a result: an interrupt came, or too much memory was touched
     * @param differences  executions that were not the same
     */
    public record Statistics(long trials, long instructions, long empty, long unfinished, long differences) {
        @Override
        public String toString() {
            return "%,d executions of regions compared, %,d instructions, %,d differences (%,d empty, %,d unfinished)"
                    .formatted(trials, instructions, differences, empty, unfinished);
        }
    }
}
