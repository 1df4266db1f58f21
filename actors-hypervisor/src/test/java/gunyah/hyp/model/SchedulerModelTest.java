package gunyah.hyp.model;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import akka.actor.testkit.typed.javadsl.TestInbox;
import gunyah.hyp.Invariant;
import gunyah.hyp.model.SchedulerModel.Cpu;
import gunyah.hyp.pcpu.HostCores;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.PcpuActor;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.pcpu.PcpuState;
import gunyah.hyp.pcpu.Schedulable;
import gunyah.hyp.timer.ManualAlarms;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Random lives of threads on one to four physical CPUs, in virtual time: they wake, block, yield, lend their turn, get
 * wake-ups, move, are killed and let go late. Every grant, every request to let go and every nanosecond is what {@link
 * SchedulerModel} says.
 */
class SchedulerModelTest {
    private static final int[] PRIORITIES = {0, 10, 32, 32, 32, 33, 62};
    private static final long[] SLICES = {100_000, 1_000_000, 5_000_000, 5_000_000, 100_000_000};
    private static final int MAX_THREADS = 9;

    @Test
    @Invariant({33, 34, 35, 36, 37, 38})
    void everyGrantAndEveryNanosecondIsTheModels() {
        Set<String> seen = new TreeSet<>();

        Sequences.run(500, 150, () -> new Subject(seen));

        assertThat(seen).as("what happened").contains("expired", "preempted", "lent", "recalled", "moved running",
                "moved lender", "killed running", "killed waiting", "killed lender", "let go late", "nested yield",
                "woken before it was off");
    }

    private static final class Subject implements Sequences.Subject {
        private final ManualAlarms clock = new ManualAlarms();
        private final HostCores cores = new HostCores(4);
        private final List<Pcpu> pcpus = new ArrayList<>();
        private final List<BehaviorTestKit<PcpuActor.Command>> actors = new ArrayList<>();
        private final List<List<String>> logs = new ArrayList<>();
        private final List<Fake> threads = new ArrayList<>();
        private final Set<String> seen;
        private SchedulerModel model;

        Subject(Set<String> seen) {
            this.seen = seen;
        }

        /** A thread of the implementation, and its twin in the model. */
        private final class Fake extends Schedulable {
            private final SchedulerModel.Thread twin;
            private boolean blocked = true;
            private boolean killed;
            private boolean exited;
            private boolean moving;
            private boolean wakeup;
            private boolean granted;
            private boolean asked;
            private boolean lending;
            /** When it lets go. */
            private long letsGoNs = Long.MAX_VALUE;

            Fake(SchedulerModel.Thread twin) {
                super(5_000_000);
                this.twin = twin;
                schedule(twin.priority, twin.sliceNs);
                setAffinity(twin.affinity);
            }

            @Override
            protected boolean runnable() {
                return !exited && !moving && (killed || !blocked);
            }

            @Override
            protected boolean takeWakeup() {
                boolean was = wakeup;
                wakeup &= killed;
                return killed || was;
            }

            @Override
            protected void grant(Pcpu cpu) {
                assertThat(granted).as("%s runs twice", this).isFalse();
                granted = true;
                lending = false;
                asked = false;
                letsGoNs = killed ? clock.now() : Long.MAX_VALUE;
                logs.get(cpu.index()).add("run " + this);
            }

            @Override
            protected boolean holds(Pcpu cpu) {
                return granted;
            }

            @Override
            protected void preempt() {
                asked = true;
                logs.get(runningOn().index()).add("ask " + this);
            }

            @Override
            protected void announceHome() {
                pcpus.get(affinity()).ready(this);
            }

            @Override
            protected void moved(int cpu) {
                setAffinity(cpu);
                moving = false;
                if (runnable() && cpu != NO_CPU) {
                    pcpus.get(cpu).ready(this);
                }
            }

            @Override
            public String toString() {
                return twin.name;
            }
        }

        @Override
        public String step(int[] n) {
            if (model == null) {
                return start(1 + n[0] % 4);
            }
            String what = threads.size() < 2 || threads.size() < MAX_THREADS && n[0] % 12 == 0 ? create(n)
                    : act(threads.get(n[1] % threads.size()), n);
            pump();
            long latency = n[6] % 3 == 0 ? n[7] % 700_000 : 0;
            noteRequests(latency);
            compareNow();
            return what;
        }

        private String start(int count) {
            model = new SchedulerModel(count);
            for (int i = 0; i < count; i++) {
                Pcpu pcpu = new Pcpu(i);
                pcpus.add(pcpu);
                logs.add(new ArrayList<>());
                BehaviorTestKit<PcpuActor.Command> kit =
                        BehaviorTestKit.create(PcpuActor.create(pcpu, clock, cores), "pcpu-" + i);
                actors.add(kit);
                pcpu.start(kit.getRef());
            }
            return "%d CPUs".formatted(count);
        }

        private String create(int[] n) {
            int cpu = n[2] % (pcpus.size() + 1);
            Fake thread = new Fake(new SchedulerModel.Thread("t" + threads.size(), PRIORITIES[n[3] % PRIORITIES.length],
                    SLICES[n[4] % SLICES.length], cpu == pcpus.size() ? Schedulable.NO_CPU : cpu));
            threads.add(thread);
            return "create %s priority %d slice %d us on %s, ".formatted(thread, thread.priority(),
                    thread.timesliceNs() / 1000, cpuName(thread.affinity())) + wake(thread);
        }

        private String act(Fake thread, int[] n) {
            return switch (n[2] % 16) {
                case 0, 1, 2, 3 -> pass(n[3] % 4 == 0 ? n[4] % 20_000_000 : n[4] % 2_000_000, n);
                case 4, 5 -> thread.granted ? block(thread, n[3] % 4 == 0) : wake(thread);
                case 6 -> thread.granted ? yieldAll(thread) : wake(thread);
                case 7, 8, 9 -> lend(thread, threads.get(n[3] % threads.size()));
                case 10, 11 -> wakeUp(thread);
                case 12, 13 -> move(thread, n[3] % (pcpus.size() + 1));
                case 14 -> n[3] % 4 == 0 ? kill(thread) : wake(thread);
                default -> thread.granted && thread.asked ? letGo(thread) : wake(thread);
            };
        }

        private String wake(Fake thread) {
            thread.blocked = false;
            thread.twin.blocked = false;
            ready(thread);
            return "wake " + thread;
        }

        private void ready(Fake thread) {
            if (thread.affinity() != Schedulable.NO_CPU && thread.runnable()) {
                pcpus.get(thread.affinity()).ready(thread);
            }
            pump();
            model.wake(thread.twin);
        }

        private String block(Fake thread, boolean wokenMeanwhile) {
            thread.blocked = !wokenMeanwhile;
            thread.twin.blocked = !wokenMeanwhile;
            if (wokenMeanwhile) {
                seen.add("woken before it was off");
                ready(thread);
            }
            release(thread, Reason.BLOCKED);
            return (wokenMeanwhile ? "block and wake " : "block ") + thread;
        }

        private String yieldAll(Fake thread) {
            release(thread, Reason.YIELDED);
            return "yield " + thread;
        }

        private String letGo(Fake thread) {
            if (thread.killed) {
                thread.exited = true;
                thread.twin.exited = true;
                release(thread, Reason.BLOCKED);
            } else {
                release(thread, Reason.PREEMPTED);
            }
            return "let go " + thread;
        }

        private void release(Fake thread, Reason reason) {
            Pcpu cpu = thread.runningOn();
            thread.granted = false;
            thread.letsGoNs = Long.MAX_VALUE;
            cpu.release(thread, reason);
            pump();
            if (reason == Reason.PREEMPTED) {
                model.letGo(thread.twin);
            } else {
                model.giveUp(thread.twin);
            }
        }

        private String lend(Fake thread, Fake target) {
            if (!thread.granted || thread == target) {
                return "-";
            }
            Pcpu cpu = thread.runningOn();
            seen.add(model.cpus.get(cpu.index()).lent() ? "nested yield" : "lent");
            thread.granted = false;
            thread.lending = true;
            thread.letsGoNs = Long.MAX_VALUE;
            cpu.yieldTo(thread, target);
            pump();
            model.lend(thread.twin, target.twin);
            return "%s lends its turn to %s".formatted(thread, target);
        }

        private String wakeUp(Fake thread) {
            thread.wakeup = true;
            thread.twin.wakeup = true;
            cancel(thread);
            return "wake-up of " + thread;
        }

        private void cancel(Fake thread) {
            Pcpu cpu = thread.runningOn();
            if (thread.lending && cpu != null) {
                seen.add("recalled");
                cpu.cancelYield(thread);
                pump();
                model.recall(thread.twin);
            }
        }

        private String move(Fake thread, int number) {
            int cpu = number == pcpus.size() ? Schedulable.NO_CPU : number;
            if (thread.moving || cpu == thread.affinity()) {
                return "-";
            }
            seen.add(thread.granted ? "moved running" : thread.lending ? "moved lender" : "moved");
            thread.moving = true;
            Pcpu on = thread.runningOn();
            if (on != null) {
                on.move(thread, cpu);
            } else if (thread.affinity() != Schedulable.NO_CPU) {
                pcpus.get(thread.affinity()).move(thread, cpu);
            } else {
                thread.moved(cpu);
            }
            pump();
            model.move(thread.twin, cpu);
            return "move %s to %s".formatted(thread, cpuName(cpu));
        }

        private String kill(Fake thread) {
            if (thread.killed) {
                return "-";
            }
            seen.add(thread.granted ? "killed running" : thread.lending ? "killed lender" : "killed waiting");
            thread.killed = true;
            thread.twin.killed = true;
            if (thread.granted) {
                thread.letsGoNs = clock.now();
            } else if (!thread.lending) {
                thread.exited = true;
                if (thread.affinity() != Schedulable.NO_CPU) {
                    pcpus.get(thread.affinity()).gone(thread);
                    pump();
                }
                model.exit(thread.twin);
            }
            cancel(thread);
            return "kill " + thread;
        }

        private String pass(long ns, int[] n) {
            long end = clock.now() + ns;
            int requests = 0;
            while (true) {
                long next = Math.min(Math.min(end, clock.nextDeadline()), Math.min(model.nextNs(), nextLetGoNs()));
                clock.advanceTo(next);
                pump();
                model.advanceTo(next);
                compareLogs();
                requests += noteRequests(n[5 + requests % 3] % 2 == 0 ? 0 : n[5 + requests % 3] % 700_000);
                Fake lets = threads.stream().filter(thread -> thread.letsGoNs <= clock.now()).findFirst().orElse(null);
                if (lets != null) {
                    letGo(lets);
                } else if (next == end) {
                    return "%d us pass".formatted(ns / 1000);
                }
                assertThat(requests).as("requests in %d ns", ns).isLessThan(10_000);
            }
        }

        private long nextLetGoNs() {
            return threads.stream().mapToLong(thread -> thread.letsGoNs).min().orElse(Long.MAX_VALUE);
        }

        /** Whoever is asked lets go after a while. {@return how many were asked} */
        private int noteRequests(long latencyNs) {
            int found = 0;
            for (Fake thread : threads) {
                if (thread.granted && thread.asked && thread.letsGoNs == Long.MAX_VALUE) {
                    thread.letsGoNs = clock.now() + latencyNs;
                    found++;
                    Cpu cpu = thread.twin.cpu;
                    seen.add(latencyNs > 0 ? "let go late" : cpu.active.remainingNs <= 0 ? "expired" : "preempted");
                }
            }
            return found;
        }

        private void pump() {
            boolean again = true;
            while (again) {
                again = false;
                for (BehaviorTestKit<PcpuActor.Command> actor : actors) {
                    while (actor.selfInbox().hasMessages()) {
                        actor.run(actor.selfInbox().receiveMessage());
                        again = true;
                    }
                }
            }
        }

        private void compareLogs() {
            for (Cpu cpu : model.cpus) {
                assertThat(logs.get(cpu.index)).as("CPU %d at %d ns", cpu.index, clock.now())
                        .containsExactlyElementsOf(cpu.log);
                logs.get(cpu.index).clear();
                cpu.log.clear();
            }
        }

        private void compareNow() {
            compareLogs();
            for (Cpu cpu : model.cpus) {
                TestInbox<PcpuState> inbox = TestInbox.create();
                actors.get(cpu.index).run(new PcpuActor.Describe(inbox.getRef()));
                PcpuState state = inbox.receiveMessage();
                assertThat(List.of(state.active(), state.running(), state.busyNs(), state.idleNs()))
                        .isEqualTo(List.of(name(cpu.active), name(cpu.running), cpu.busyNs, cpu.idleNs));
                assertThat(cpu.busyNs + cpu.idleNs).as("time of CPU %d", cpu.index).isEqualTo(clock.now());
            }
            for (Fake thread : threads) {
                assertThat(thread.runNs()).as("run time of %s", thread).isEqualTo(thread.twin.runNs);
                assertThat(thread.affinity()).as("affinity of %s", thread).isEqualTo(thread.twin.affinity);
                Pcpu on = thread.runningOn();
                assertThat(on == null ? -1 : on.index()).as("CPU of %s", thread)
                        .isEqualTo(thread.twin.cpu == null ? -1 : thread.twin.cpu.index);
            }
        }

        /** Whoever waits gets its turn when nobody is in its way: the order of all queues comes to light. */
        @Override
        public void compare() {
            if (model == null) {
                return;
            }
            pass(500_000_000, new int[] {0, 0, 0, 0, 0, 1, 2, 3});
            for (int i = 0; i < 2 * threads.size(); i++) {
                for (Fake thread : threads) {
                    if (thread.granted && !thread.killed) {
                        block(thread, false);
                    }
                }
                pass(1_000_000, new int[] {0, 0, 0, 0, 0, 2, 2, 2});
                compareNow();
            }
            assertThat(threads).noneMatch(thread -> thread.granted);
        }

        private static String name(SchedulerModel.Thread thread) {
            return thread == null ? "" : thread.name;
        }

        private static String cpuName(int cpu) {
            return cpu == Schedulable.NO_CPU ? "no CPU" : "CPU " + cpu;
        }

        @Override
        public void close() {
            // nothing outside this object
        }
    }
}
