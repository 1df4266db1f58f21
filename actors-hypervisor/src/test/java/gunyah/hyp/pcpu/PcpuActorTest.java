package gunyah.hyp.pcpu;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import akka.actor.testkit.typed.javadsl.TestInbox;
import gunyah.hyp.Invariant;
import gunyah.hyp.pcpu.PcpuActor.Command;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.timer.ManualAlarms;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The scheduler on a clock driven by hand: who has the CPU, since when, and who must give it back. */
class PcpuActorTest {
    private static final long SLICE = 5_000_000;

    private final ManualAlarms clock = new ManualAlarms();
    private final Pcpu cpu = new Pcpu(0);
    private final BehaviorTestKit<Command> scheduler =
            BehaviorTestKit.create(PcpuActor.create(cpu, clock, new HostCores(2)));
    private final List<String> grants = new ArrayList<>();

    PcpuActorTest() {
        cpu.start(scheduler.getRef());
    }

    /** A thread that notes what the scheduler asks of it. */
    private final class Fake extends Schedulable {
        private final String name;
        private boolean blocked;
        /** Gets blocked once it was asked this many times whether it is runnable. */
        private int blocksAfter = Integer.MAX_VALUE;
        private boolean wakeup;
        private boolean granted;
        private boolean preempted;
        private int movedTo = -1;

        Fake(String name, int priority, int affinity) {
            super(SLICE);
            this.name = name;
            schedule(priority, SLICE);
            setAffinity(affinity);
        }

        @Override
        protected boolean runnable() {
            boolean was = !blocked;
            blocksAfter--;
            if (blocksAfter == 0) {
                blocked = true;
            }
            return was;
        }

        @Override
        protected boolean takeWakeup() {
            boolean was = wakeup;
            wakeup = false;
            return was;
        }

        @Override
        protected void grant(Pcpu grantedCpu) {
            granted = true;
            preempted = false;
            grants.add(name);
        }

        @Override
        protected boolean holds(Pcpu grantedCpu) {
            return granted;
        }

        @Override
        protected void preempt() {
            preempted = true;
        }

        @Override
        protected void announceHome() {
            grants.add(name + " announced");
        }

        @Override
        protected void moved(int destination) {
            movedTo = destination;
            setAffinity(destination);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private Fake thread(String name, int priority) {
        return new Fake(name, priority, 0);
    }

    private Fake proxied(String name) {
        return new Fake(name, 0, Schedulable.NO_CPU);
    }

    private void ready(Fake... threads) {
        for (Fake thread : threads) {
            scheduler.run(new PcpuActor.Ready(thread));
        }
        deliverTimer();
    }

    private void release(Fake thread, Reason reason) {
        thread.granted = false;
        scheduler.run(new PcpuActor.Release(thread, reason));
    }

    private void block(Fake thread) {
        thread.blocked = true;
        release(thread, Reason.BLOCKED);
    }

    private void yieldTo(Fake yielder, Fake target) {
        yielder.granted = false;
        scheduler.run(new PcpuActor.YieldTo(yielder, target));
    }

    /** Lets time pass; a thread that is asked to release the CPU does so at once. */
    private void pass(long ns, Fake... threads) {
        long end = clock.now() + ns;
        while (clock.nextDeadline() <= end) {
            clock.advanceTo(clock.nextDeadline());
            deliverTimer();
            for (Fake thread : threads) {
                if (thread.granted && thread.preempted) {
                    release(thread, Reason.PREEMPTED);
                }
            }
        }
        clock.advanceTo(end);
    }

    private void deliverTimer() {
        while (scheduler.selfInbox().hasMessages()) {
            scheduler.run(scheduler.selfInbox().receiveMessage());
        }
    }

    @Test
    void aLoneThreadIsNeverInterrupted() {
        Fake only = thread("only", 32);

        ready(only);
        pass(100 * SLICE, only);

        assertThat(grants).containsExactly("only");
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void equalPrioritiesTakeTurnsOfOneSliceInFifoOrder() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        Fake c = thread("c", 32);

        ready(a, b, c);
        pass(6 * SLICE, a, b, c);

        assertThat(grants).containsExactly("a", "b", "c", "a", "b", "c", "a");
        assertThat(a.runNs()).isEqualTo(2 * SLICE);
        assertThat(b.runNs()).isEqualTo(2 * SLICE);
        assertThat(c.runNs()).isEqualTo(2 * SLICE);
    }

    @Test
    @Invariant(33)
    void aHigherPriorityPreemptsAtOnceAndTheDisplacedThreadKeepsItsRemainderAtTheHead() {
        Fake low = thread("low", 10);
        Fake lowToo = thread("lowToo", 10);
        Fake high = thread("high", 20);
        ready(low, lowToo);
        pass(SLICE / 5 * 2, low, lowToo);

        ready(high);
        assertThat(low.preempted).isTrue();
        release(low, Reason.PREEMPTED);
        pass(10 * SLICE, low, lowToo, high);
        assertThat(grants).containsExactly("low", "high");

        block(high);
        pass(SLICE / 5 * 3, low, lowToo, high);
        assertThat(grants).containsExactly("low", "high", "low", "lowToo");
        assertThat(low.runNs()).isEqualTo(SLICE);
    }

    @Test
    void aThreadOfTheSamePriorityDoesNotPreempt() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);

        ready(a);
        pass(SLICE / 2, a);
        ready(b);

        assertThat(a.preempted).isFalse();
        assertThat(clock.nextDeadline()).isEqualTo(SLICE);
    }

    @Test
    void aWakeUpBeforeTheReleaseIsNotLost() {
        Fake a = thread("a", 32);
        ready(a);

        a.blocked = true;
        a.blocked = false;
        scheduler.run(new PcpuActor.Ready(a));
        release(a, Reason.BLOCKED);

        assertThat(grants).containsExactly("a", "a");
    }

    @Test
    void yieldingDropsTheRestOfTheSlice() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);

        release(a, Reason.YIELDED);

        assertThat(grants).containsExactly("a", "b");
    }

    @Test
    @Invariant(36)
    void aDirectedYieldRunsTheTargetOnTheYieldersSliceOnly() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        pass(SLICE / 2, host);

        yieldTo(host, guest);
        assertThat(grants).containsExactly("host", "guest");
        pass(SLICE / 2, host, guest);

        assertThat(grants).containsExactly("host", "guest", "host");
        assertThat(guest.runNs()).isEqualTo(SLICE / 2);
        assertThat(guest.runningOn()).isNull();
    }

    @Test
    void aTargetThatBlocksGivesTheCpuBackToItsYielder() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        yieldTo(host, guest);

        block(guest);

        assertThat(grants).containsExactly("host", "guest", "host");
    }

    @Test
    void aTargetThatYieldsEndsTheDirectedYield() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        yieldTo(host, guest);

        release(guest, Reason.YIELDED);

        assertThat(grants).containsExactly("host", "guest", "host");
    }

    @Test
    void aHigherPrioritySuspendsADirectedYieldThatResumesLater() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        Fake urgent = thread("urgent", 40);
        ready(host);
        yieldTo(host, guest);

        ready(urgent);
        assertThat(guest.preempted).isTrue();
        release(guest, Reason.PREEMPTED);
        block(urgent);

        assertThat(grants).containsExactly("host", "guest", "urgent", "guest");
    }

    @Test
    void aWakeUpOfTheYielderEndsItsDirectedYield() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        yieldTo(host, guest);

        host.wakeup = true;
        scheduler.run(new PcpuActor.CancelYield(host));
        assertThat(guest.preempted).isTrue();
        release(guest, Reason.PREEMPTED);

        assertThat(grants).containsExactly("host", "guest", "host");
    }

    @Test
    void aPendingWakeUpOfTheYielderSkipsTheDirectedYield() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        host.wakeup = true;

        yieldTo(host, guest);

        assertThat(grants).containsExactly("host", "host");
    }

    @Test
    void aPreemptionAskedForBeforeADirectedYieldIsHonoured() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        Fake urgent = thread("urgent", 40);
        ready(host, urgent);

        yieldTo(host, guest);
        assertThat(grants).containsExactly("host", "urgent");
        block(urgent);

        assertThat(grants).containsExactly("host", "urgent", "guest");
    }

    @Test
    void aNestedDirectedYieldOnlyChangesTheTarget() {
        Fake host = thread("host", 32);
        Fake first = proxied("first");
        Fake second = proxied("second");
        ready(host);
        yieldTo(host, first);

        yieldTo(first, second);
        assertThat(grants).containsExactly("host", "first", "second");
        block(second);

        assertThat(grants).containsExactly("host", "first", "second", "host");
        assertThat(first.runningOn()).isNull();
    }

    @Test
    @Invariant(36)
    void aTargetThatRunsElsewhereIsNotRunTwice() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        guest.acquire(new Pcpu(1));
        ready(host);

        yieldTo(host, guest);

        assertThat(grants).containsExactly("host", "host");
    }

    @Test
    @Invariant(37)
    void aTargetOfAnotherCpusAffinityIsNotRunHere() {
        Fake host = thread("host", 32);
        Fake stranger = new Fake("stranger", 32, 1);
        ready(host);

        yieldTo(host, stranger);
        ready(stranger);

        assertThat(grants).containsExactly("host", "host");
    }

    @Test
    void aRunningThreadIsMovedOnceItLetsGo() {
        Fake a = thread("a", 32);
        ready(a);

        a.blocked = true;
        scheduler.run(new PcpuActor.Move(a, 1));
        assertThat(a.preempted).isTrue();
        assertThat(a.movedTo).isEqualTo(-1);
        release(a, Reason.PREEMPTED);

        assertThat(a.movedTo).isEqualTo(1);
        assertThat(a.runningOn()).isNull();
        a.blocked = false;
        ready(a);
        assertThat(grants).containsExactly("a");
    }

    @Test
    void aQueuedThreadIsMovedAtOnce() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);

        scheduler.run(new PcpuActor.Move(b, 1));
        block(a);

        assertThat(b.movedTo).isEqualTo(1);
        assertThat(grants).containsExactly("a");
    }

    @Test
    void aMoveIsDoneWhenTheThreadLendsItsCpuInsteadOfReleasingIt() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);

        host.blocked = true;
        scheduler.run(new PcpuActor.Move(host, 1));
        yieldTo(host, guest);

        assertThat(host.movedTo).isEqualTo(1);
        assertThat(host.runningOn()).isNull();
        assertThat(grants).containsExactly("host");
    }

    @Test
    void aYielderAndItsTargetAreMovedAtTheSameTime() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        yieldTo(host, guest);

        host.blocked = true;
        scheduler.run(new PcpuActor.Move(host, 1));
        guest.blocked = true;
        scheduler.run(new PcpuActor.Move(guest, 2));
        assertThat(guest.preempted).isTrue();
        release(guest, Reason.PREEMPTED);

        assertThat(host.movedTo).isEqualTo(1);
        assertThat(guest.movedTo).isEqualTo(2);
        assertThat(host.runningOn()).isNull();
        assertThat(guest.runningOn()).isNull();
    }

    @Test
    void aThreadReachedByADirectedYieldIsMovedWhenItYieldsOn() {
        Fake host = thread("host", 32);
        Fake first = proxied("first");
        Fake second = proxied("second");
        ready(host);
        yieldTo(host, first);

        first.blocked = true;
        scheduler.run(new PcpuActor.Move(first, 1));
        yieldTo(first, second);

        assertThat(first.movedTo).isEqualTo(1);
        assertThat(grants).containsExactly("host", "first", "second");
    }

    @Test
    void aTargetRunsOnItsOwnWhenItsPreemptedYielderIsMovedAway() {
        Fake host = thread("host", 32);
        Fake guest = thread("guest", 10);
        Fake urgent = thread("urgent", 40);
        ready(host, guest);
        yieldTo(host, guest);
        ready(urgent);
        release(guest, Reason.PREEMPTED);

        host.blocked = true;
        scheduler.run(new PcpuActor.Move(host, 1));
        block(urgent);

        assertThat(host.movedTo).isEqualTo(1);
        assertThat(grants).containsExactly("host", "guest", "urgent", "guest");
    }

    @Test
    void aTargetThatIsBlockedWhileItIsTakenDoesNotRun() {
        Fake host = thread("host", 32);
        Fake guest = proxied("guest");
        ready(host);
        guest.blocksAfter = 1;

        yieldTo(host, guest);

        assertThat(grants).containsExactly("host", "host");
        assertThat(guest.runningOn()).isNull();
    }

    @Test
    void anExpiredThreadGoesToTheTailWithAFullSlice() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a);
        pass(3 * SLICE, a);

        ready(b);
        assertThat(a.preempted).as("it had more than its slice").isTrue();
        release(a, Reason.PREEMPTED);
        pass(2 * SLICE - 1, a, b);

        assertThat(grants).containsExactly("a", "b", "a");
        assertThat(b.runNs()).isEqualTo(SLICE);
    }

    @Test
    void whatAThreadTakesByLettingGoLateIsTakenFromItsNextSlice() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);
        clock.advanceTo(SLICE);
        deliverTimer();
        assertThat(a.preempted).isTrue();

        clock.advanceTo(SLICE + 300_000);
        release(a, Reason.PREEMPTED);
        pass(2 * SLICE - 300_000, a, b);

        assertThat(grants).containsExactly("a", "b", "a", "b");
        assertThat(a.runNs()).isEqualTo(2 * SLICE);
    }

    @Test
    void aVeryLateReleaseCostsHalfOfEachOfFourSlicesAtMost() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);
        clock.advanceTo(20 * SLICE);
        deliverTimer();
        release(a, Reason.PREEMPTED);
        long before = a.runNs();

        pass(5 * SLICE + 4 * SLICE / 2 + SLICE, a, b);

        assertThat(grants).containsExactly("a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b");
        assertThat(a.runNs() - before).isEqualTo(4 * SLICE / 2 + SLICE);
    }

    @Test
    void aThreadThatEndsWhileItWaitsInterruptsNobody() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);

        b.blocked = true;
        scheduler.run(new PcpuActor.Gone(b));
        pass(3 * SLICE, a);

        assertThat(grants).containsExactly("a");
    }

    @Test
    void aWokenThreadWaitsBehindItsEqualsWithAFullSlice() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        Fake c = thread("c", 32);
        ready(a, b, c);
        pass(SLICE / 2, a, b, c);
        block(a);
        pass(SLICE / 2, a, b, c);

        a.blocked = false;
        ready(a);
        pass(4 * SLICE, a, b, c);

        assertThat(grants).containsExactly("a", "b", "c", "a", "b", "c");
        assertThat(a.runNs()).isEqualTo(SLICE / 2 + SLICE);
    }

    @Test
    void everyOneOfTheSixtyFourPrioritiesHasItsOwnList() {
        List<Fake> threads = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (int priority = 0; priority < 64; priority++) {
            threads.add(thread("p" + priority, priority));
            expected.add("p" + priority);
        }
        Fake idle = thread("idle", 0);
        ready(idle);

        threads.forEach(this::ready);
        release(idle, Reason.PREEMPTED);
        for (int priority = 63; priority > 0; priority--) {
            block(threads.get(priority));
        }

        expected.set(0, "idle");
        assertThat(grants.getFirst()).isEqualTo("idle");
        assertThat(grants.subList(1, grants.size())).containsExactlyElementsOf(expected.reversed());
    }

    @Test
    void waitsAreCountedFromTheQueueToTheGrant() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        Fake c = thread("c", 32);

        ready(a, b, c);
        pass(7 * SLICE, a, b, c);

        assertThat(a.waitNs()).isEqualTo(4 * SLICE);
        assertThat(a.longestWaitNs()).isEqualTo(2 * SLICE);
        assertThat(c.waitNs()).isEqualTo(4 * SLICE);
        assertThat(c.longestWaitNs()).isEqualTo(2 * SLICE);
    }

    @Test
    void aReleaseOfAThreadWithoutTheCpuChangesNothing() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        ready(a, b);

        release(b, Reason.YIELDED);

        assertThat(grants).containsExactly("a");
    }

    @Test
    @Invariant({35, 38})
    void runTimesAndIdleTimeAddUpToTheWallClock() {
        Random random = new Random(7);
        List<Fake> threads = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            threads.add(thread("t" + i, 30 + i % 3));
        }
        Fake[] all = threads.toArray(new Fake[0]);

        for (int step = 0; step < 5_000; step++) {
            Fake one = threads.get(random.nextInt(all.length));
            if (one.granted && random.nextBoolean()) {
                block(one);
            } else if (one.blocked) {
                one.blocked = false;
                ready(one);
            } else if (step < all.length * 2) {
                ready(one);
            }
            pass(random.nextInt(2_000_000), all);
            assertOnlyTheBestRuns(all);
        }

        TestInbox<PcpuState> inbox = TestInbox.create();
        scheduler.run(new PcpuActor.Describe(inbox.getRef()));
        PcpuState state = inbox.receiveMessage();
        long run = threads.stream().mapToLong(Schedulable::runNs).sum();
        assertThat(run).isEqualTo(state.busyNs());
        assertThat(state.busyNs() + state.idleNs()).isEqualTo(clock.now());
    }

    /** At most one thread has the CPU, and nobody of a higher priority waits while it keeps it. */
    private void assertOnlyTheBestRuns(Fake... threads) {
        Fake running = null;
        for (Fake thread : threads) {
            if (thread.granted) {
                assertThat(running).isNull();
                running = thread;
            }
        }
        for (Fake thread : threads) {
            if (thread.queued && thread.runnable()) {
                assertThat(running).isNotNull();
                assertThat(running.preempted || running.priority() >= thread.priority()).isTrue();
            }
        }
    }

    @Test
    @Invariant(34)
    void equalThreadsShareTheCpuWithinOneSliceWhateverTheSwitches() {
        Fake a = thread("a", 32);
        Fake b = thread("b", 32);
        Fake urgent = thread("urgent", 40);
        Random random = new Random(11);
        urgent.blocked = true;
        ready(a, b);

        for (int i = 0; i < 1_000; i++) {
            pass(random.nextInt(3_000_000), a, b, urgent);
            urgent.blocked = false;
            ready(urgent);
            for (Fake displaced : new Fake[] {a, b}) {
                if (displaced.preempted && displaced.granted) {
                    release(displaced, Reason.PREEMPTED);
                }
            }
            pass(random.nextInt(500_000), a, b, urgent);
            block(urgent);
        }

        assertThat(Math.abs(a.runNs() - b.runNs())).isLessThanOrEqualTo(SLICE);
    }
}
