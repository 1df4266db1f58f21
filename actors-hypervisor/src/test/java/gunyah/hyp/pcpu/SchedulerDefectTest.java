package gunyah.hyp.pcpu;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import gunyah.hyp.pcpu.PcpuActor.Command;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.timer.ManualAlarms;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * A scheduler that meets defects: in random histories of threads that run, wait, lend their CPU and move, what the
 * scheduler calls throws now and then, before or after it did its work. At every moment at most one thread has the CPU,
 * and in the end every thread that can run gets its turn, every move is done and the count of busy CPUs is right.
 */
class SchedulerDefectTest {
    private static final int RUNS = Integer.getInteger("gunyah.scheduler-defects", 400);
    private static final int STEPS = 60;
    private static final long SLICE = 5_000_000;
    private static final int ELSEWHERE = 1;

    private final long seed = Long.getLong("gunyah.seed", 20_261_125L);
    private final Random random = new Random(seed);
    private final ManualAlarms clock = new ManualAlarms();
    private final Pcpu cpu = new Pcpu(0);
    private final Pcpu other = new Pcpu(ELSEWHERE);
    private final HostCores cores = new HostCores(1);
    private final List<Fake> threads = new ArrayList<>();
    private final List<String> fatal = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private BehaviorTestKit<Command> scheduler;
    private int callsUntilDefect;
    private int defects;

    private void mayFail() {
        if (--callsUntilDefect == 0) {
            defects++;
            throw new IllegalStateException("injected");
        }
    }

    private final class Fake extends Schedulable {
        private final String name;
        private boolean blocked = true;
        private boolean granted;
        private boolean preempted;
        private boolean waiting;
        private int movesTo = STAYS;

        Fake(String name, int priority, int affinity) {
            super(SLICE);
            this.name = name;
            schedule(priority, SLICE);
            setAffinity(affinity);
        }

        private boolean proxied() {
            return name.startsWith("proxied");
        }

        @Override
        protected boolean runnable() {
            mayFail();
            return !blocked && movesTo == STAYS;
        }

        @Override
        protected boolean takeWakeup() {
            mayFail();
            return false;
        }

        @Override
        protected void grant(Pcpu grantedCpu) {
            mayFail();
            if (holder() != null) {
                violations.add("%s gets the CPU of %s".formatted(name, holder()));
            }
            granted = true;
            preempted = false;
            waiting = false;
            mayFail();
        }

        @Override
        protected boolean holds(Pcpu grantedCpu) {
            return granted;
        }

        @Override
        protected void preempt() {
            mayFail();
            preempted = true;
            mayFail();
        }

        @Override
        protected void announceHome() {
            mayFail();
        }

        @Override
        protected void moved(int destination) {
            mayFail();
            setAffinity(destination);
            movesTo = STAYS;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeEach
    void silence() {
        ((Logger) LoggerFactory.getLogger(PcpuActor.class)).setLevel(Level.OFF);
    }

    @AfterEach
    void speak() {
        ((Logger) LoggerFactory.getLogger(PcpuActor.class)).setLevel(null);
    }

    private void begin() {
        threads.clear();
        scheduler = BehaviorTestKit.create(PcpuActor.create(cpu, clock, cores, null, () -> threads, fatal::add));
        cpu.start(scheduler.getRef());
        other.start(scheduler.getRef());
        for (int i = 0; i < 4; i++) {
            threads.add(new Fake("own-" + i, 10 + i / 2, 0));
        }
        for (int i = 0; i < 2; i++) {
            threads.add(new Fake("proxied-" + i, 0, Schedulable.NO_CPU));
        }
    }

    private void tell(Command command) {
        scheduler.run(command);
        while (scheduler.selfInbox().hasMessages()) {
            scheduler.run(scheduler.selfInbox().receiveMessage());
        }
    }

    private Fake pick(List<Fake> from) {
        return from.get(random.nextInt(from.size()));
    }

    private Fake holder() {
        return threads.stream().filter(thread -> thread.granted).findFirst().orElse(null);
    }

    private void step() {
        Fake holder = holder();
        switch (random.nextInt(7)) {
            case 0, 1 -> wake(pick(threads));
            case 2 -> release(holder, true);
            case 3 -> release(holder, false);
            case 4 -> lend(holder, pick(threads));
            case 5 -> move(pick(threads));
            default -> {
                clock.advanceTo(clock.now() + random.nextLong(2 * SLICE));
                tell(new PcpuActor.CancelYield(pick(threads)));
            }
        }
        if (holder != null && holder.granted && holder.preempted) {
            release(holder, false);
        }
    }

    private void wake(Fake thread) {
        thread.blocked = false;
        if (!thread.proxied() && thread.affinity() == cpu.index()) {
            tell(new PcpuActor.Ready(thread));
        }
    }

    private void release(Fake holder, boolean blocks) {
        if (holder != null) {
            holder.blocked |= blocks;
            holder.granted = false;
            if (random.nextInt(4) == 0) {
                // A message that was sent before its own.
                wake(pick(threads));
            }
            tell(new PcpuActor.Release(holder, blocks ? Reason.BLOCKED
                    : holder.preempted ? Reason.PREEMPTED : Reason.YIELDED));
        }
    }

    private void lend(Fake holder, Fake target) {
        if (holder != null && target.proxied() && target != holder) {
            target.blocked = false;
            holder.waiting = true;
            holder.granted = false;
            tell(new PcpuActor.YieldTo(holder, target));
        }
    }

    private void move(Fake thread) {
        if (!thread.proxied() && !thread.waiting && thread.movesTo == Schedulable.STAYS) {
            int destination = thread.affinity() == cpu.index() ? ELSEWHERE : cpu.index();
            thread.movesTo = destination;
            tell(new PcpuActor.Move(thread, destination));
            wake(thread);
        }
    }

    /** Every holder gives the CPU back; whoever can run must come to it. */
    private void settle(int run) {
        callsUntilDefect = 0;
        for (int i = 0; i < 4; i++) {
            release(holder(), true);
        }
        for (Fake thread : threads) {
            if (thread.proxied() || thread.affinity() != cpu.index()) {
                continue;
            }
            wake(thread);
            for (int turns = 0; !thread.granted; turns++) {
                assertThat(turns).as("seed %d run %d: %s waits for ever", seed, run, thread).isLessThan(20);
                release(holder(), true);
            }
            release(thread, true);
        }
        while (holder() != null) {
            release(holder(), true);
        }
    }

    @Test
    void noThreadIsLostAndNoneRunsTwice() {
        for (int run = 0; run < RUNS; run++) {
            begin();
            callsUntilDefect = 1 + random.nextInt(40);
            for (int i = 0; i < STEPS; i++) {
                if (callsUntilDefect <= 0) {
                    // Now and then again within what follows the defect.
                    callsUntilDefect = 1 + random.nextInt(random.nextBoolean() ? 4 : 40);
                }
                step();
            }
            settle(run);

            assertThat(violations).as("seed %d run %d", seed, run).isEmpty();
            assertThat(threads).as("seed %d run %d: moves", seed, run)
                    .allMatch(thread -> thread.movesTo == Schedulable.STAYS);
            assertThat(cores.beginSpin()).as("seed %d run %d: the CPU is idle and counted so", seed, run).isTrue();
            cores.endSpin();
        }
        assertThat(defects).isGreaterThan(2 * RUNS);
        assertThat(fatal).isEmpty();
    }
}
