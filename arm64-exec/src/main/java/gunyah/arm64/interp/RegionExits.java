package gunyah.arm64.interp;

import gunyah.arm64.Cpu;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.translate.Region;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.RegionGates;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Counts how translated code is used: instructions in it, entries, and why it is left. For the translator's log; a CPU
 * whose exits are counted is slower. Thread safe.
 */
public final class RegionExits implements RegionGates {
    /** Why the interpreter takes over. */
    private enum Reason {
        /** An interrupt, a shoot-down, the end of a slice. */
        ATTENTION,
        /** The next instruction is an access that the TLB does not allow at once. */
        MEMORY,
        /** The next instruction is of floating point or vectors, and not done in line this time. */
        VECTOR,
        /** The next instruction is in another page, where there is no region. */
        OTHER_PAGE,
        /** There is no region for the next instruction of this page. */
        SAME_PAGE;

        static final Reason[] ALL = values();
    }

    private final LongAdder entries = new LongAdder();
    private final LongAdder chained = new LongAdder();
    private final LongAdder translated = new LongAdder();
    private final LongAdder all = new LongAdder();
    private final AtomicLongArray reasons = new AtomicLongArray(Reason.ALL.length);

    @Override
    public RegionGate of(Cpu cpu) {
        return new Counter(cpu);
    }

    private final class Counter implements RegionGate {
        private final Cpu cpu;
        private final CpuState s;
        private boolean running;
        private long entered;
        private long enteredPc;
        /** Retired count up to which all was counted. */
        private long counted;

        Counter(Cpu cpu) {
            this.cpu = cpu;
            s = cpu.s;
        }

        @Override
        public long limit(Region region, long end) {
            (running ? chained : entries).increment();
            if (!running) {
                running = true;
                entered = s.retired;
            }
            enteredPc = s.pc;
            return end;
        }

        @Override
        public void left() {
            running = false;
            translated.add(s.retired - entered);
            // a CPU that is reset counts on
            all.add(s.retired - counted);
            counted = s.retired;
            reasons.incrementAndGet(reason().ordinal());
        }

        private Reason reason() {
            if (cpu.control.peek() != 0) {
                return Reason.ATTENTION;
            }
            if ((s.pc ^ enteredPc) >>> 12 != 0) {
                return Reason.OTHER_PAGE;
            }
            OptionalInt next = cpu.mmu.peekInstruction(s.pc);
            int group = next.isPresent() ? next.getAsInt() >>> 25 & 15 : 0;
            return (group & 5) == 4 ? Reason.MEMORY : (group & 7) == 7 ? Reason.VECTOR : Reason.SAME_PAGE;
        }
    }

    /** {@return the counts in words, on one line} */
    @Override
    public String toString() {
        String why = Stream.of(Reason.ALL).map(reason -> reason + " " + reasons.get(reason.ordinal()))
                .collect(Collectors.joining(", "));
        long total = all.sum();
        return "%d of %d instructions in regions (%.1f %%), %d entries, %d from region to region, left for: %s"
                .formatted(translated.sum(), total, total == 0 ? 0.0 : 100.0 * translated.sum() / total, entries.sum(),
                        chained.sum(), why);
    }
}
