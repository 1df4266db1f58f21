package gunyah.hyp.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The scheduler of Gunyah (hyp/core/scheduler_fprr) as rules: physical CPUs, each with its threads in the order of their
 * turns, and what asks the running one to let go. There are no alarms here: {@link #nextNs} looks at who runs and who
 * waits. Time is virtual; a thread that is asked lets go when the test says so.
 */
final class SchedulerModel {
    static final int NO_CPU = 0xFFFF;
    private static final int STAYS = -1;

    static final class Thread {
        final String name;
        final int priority;
        final long sliceNs;
        int affinity;
        boolean blocked = true;
        boolean killed;
        boolean exited;
        /** Where a move takes it. */
        int destination = STAYS;
        /** Got a wake-up that no directed yield has used. */
        boolean wakeup;
        /** Whose turn it uses up instead of running: the target of its directed yield. */
        Thread target;
        /** The CPU that is its alone. */
        Cpu cpu;
        long remainingNs;
        long debtNs;
        long runNs;

        Thread(String name, int priority, long sliceNs, int affinity) {
            this.name = name;
            this.priority = priority;
            this.sliceNs = sliceNs;
            this.affinity = affinity;
        }

        boolean runnable() {
            return !exited && destination == STAYS && (killed || !blocked);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static final class Cpu {
        final int index;
        /** In the order they became what they are; who is first among the best has the next turn. */
        final List<Thread> waiting = new ArrayList<>();
        /** Grants, and requests to let go. */
        final List<String> log = new ArrayList<>();
        /** Whose turn it is, and who runs in it. */
        Thread active;
        Thread running;
        boolean asked;
        boolean recalled;
        long busyNs;
        long idleNs;

        Cpu(int index) {
            this.index = index;
        }

        /** {@return the best priority that waits, -1 for none} */
        int best() {
            return waiting.stream().mapToInt(thread -> thread.priority).max().orElse(-1);
        }

        boolean lent() {
            return running != active;
        }

        /** Whether the end of the slice matters to anybody: a lone thread is never interrupted. */
        boolean sliceCounts() {
            return lent() || waiting.stream().anyMatch(thread -> thread.priority == active.priority);
        }
    }

    final List<Cpu> cpus = new ArrayList<>();
    private long nowNs;

    SchedulerModel(int cpuCount) {
        for (int i = 0; i < cpuCount; i++) {
            cpus.add(new Cpu(i));
        }
    }

    /** {@return the next moment at which a slice ends that counts} */
    long nextNs() {
        return cpus.stream().filter(cpu -> cpu.active != null && !cpu.asked && cpu.sliceCounts())
                .mapToLong(cpu -> nowNs + Math.max(cpu.active.remainingNs, 0)).min().orElse(Long.MAX_VALUE);
    }

    /** Lets time pass in which no slice ends but at its end. */
    void advanceTo(long toNs) {
        long ns = toNs - nowNs;
        nowNs = toNs;
        for (Cpu cpu : cpus) {
            if (cpu.active == null) {
                cpu.idleNs += ns;
                continue;
            }
            cpu.busyNs += ns;
            cpu.running.runNs += ns;
            long left = cpu.active.remainingNs - ns;
            cpu.active.remainingNs = cpu.sliceCounts() ? left : Math.max(left, Math.min(cpu.active.remainingNs, 0));
            ask(cpu);
        }
    }

    /** A thread asks for its turn, if it can have one: a full slice, after its equals. */
    void wake(Thread thread) {
        if (!thread.runnable() || thread.affinity == NO_CPU || thread.cpu != null) {
            return;
        }
        Cpu home = cpus.get(thread.affinity);
        if (home.waiting.contains(thread)) {
            return;
        }
        thread.remainingNs = thread.sliceNs;
        home.waiting.add(thread);
        if (home.active == null) {
            choose(home);
        } else {
            ask(home);
        }
    }

    /** The thread that runs lets go because it was asked to. */
    void letGo(Thread thread) {
        Cpu cpu = thread.cpu;
        cpu.running = null;
        if (thread != cpu.active) {
            thread.cpu = null;
            if (cpu.recalled || !thread.runnable()) {
                endLending(cpu);
            }
            goHome(thread);
        }
        finish(cpu, thread);
    }

    /** The thread that runs gives up: it waits for something, has ended or does not want the rest of its slice. */
    void giveUp(Thread thread) {
        Cpu cpu = thread.cpu;
        cpu.running = null;
        if (thread != cpu.active) {
            thread.cpu = null;
            endLending(cpu);
            goHome(thread);
        } else if (thread.runnable()) {
            thread.remainingNs = thread.sliceNs;
            requeue(cpu, true);
        } else {
            leave(cpu);
        }
        finish(cpu, thread);
    }

    /** The thread that runs lets another one use its turn. */
    void lend(Thread thread, Thread target) {
        Cpu cpu = thread.cpu;
        cpu.running = null;
        cpu.active.target = target;
        if (thread != cpu.active) {
            thread.cpu = null;
            goHome(thread);
        }
        finish(cpu, thread);
    }

    /** Who lends its turn has a wake-up. */
    void recall(Thread lender) {
        Cpu cpu = lender.cpu;
        if (cpu != null && cpu.active == lender && cpu.lent()) {
            cpu.recalled = true;
            ask(cpu);
        }
    }

    void move(Thread thread, int destination) {
        thread.destination = destination;
        if (thread.cpu != null) {
            ask(thread.cpu);
        } else {
            land(thread);
            wake(thread);
        }
    }

    /** Ends a thread that does not execute. */
    void exit(Thread thread) {
        thread.exited = true;
        if (thread.affinity != NO_CPU) {
            cpus.get(thread.affinity).waiting.remove(thread);
        }
    }

    private void ask(Cpu cpu) {
        if (cpu.running == null || cpu.asked) {
            return;
        }
        boolean over = cpu.active.remainingNs <= 0;
        boolean displaced = cpu.best() > cpu.active.priority;
        boolean moves = cpu.active.destination != STAYS || cpu.running.destination != STAYS;
        if (displaced || over && cpu.sliceCounts() || cpu.recalled || moves) {
            cpu.asked = true;
            cpu.log.add("ask " + cpu.running);
        }
    }

    /** The thread is off the CPU, and somebody else's turn comes; who moves arrives after that. */
    private void finish(Cpu cpu, Thread thread) {
        cpu.asked = false;
        List<Thread> moved = new ArrayList<>();
        if (thread.destination != STAYS) {
            if (thread == cpu.active) {
                endLending(cpu);
                leave(cpu);
            }
            land(thread);
            moved.add(thread);
        }
        Thread lender = cpu.active;
        boolean lenderMoves = lender != null && lender.destination != STAYS;
        choose(cpu);
        if (lenderMoves) {
            moved.add(lender);
        }
        moved.forEach(this::wake);
    }

    private void choose(Cpu cpu) {
        Thread old = cpu.active;
        if (old != null && !old.runnable()) {
            endLending(cpu);
            leave(cpu);
            if (old.destination != STAYS) {
                land(old);
            }
        } else if (old != null && old.remainingNs <= 0) {
            endLending(cpu);
            if (cpu.best() >= old.priority) {
                // What it took of the others' time, up to two slices, it gives back: up to half a slice at a time.
                old.debtNs = Math.min(2 * old.sliceNs, old.debtNs + Math.abs(old.remainingNs));
                old.remainingNs = Math.max(old.sliceNs - old.debtNs, old.sliceNs / 2);
                old.debtNs -= old.sliceNs - old.remainingNs;
                requeue(cpu, true);
            } else {
                old.remainingNs = old.sliceNs;
            }
        } else if (old != null && cpu.best() > old.priority) {
            requeue(cpu, false);
        }
        if (cpu.active == null) {
            int best = cpu.best();
            Thread next = cpu.waiting.stream().filter(thread -> thread.priority == best).findFirst().orElse(null);
            if (next == null) {
                return;
            }
            cpu.waiting.remove(next);
            cpu.active = next;
            next.cpu = cpu;
        }
        if (!lends(cpu)) {
            endLending(cpu);
        }
        cpu.running = cpu.active.target == null ? cpu.active : cpu.active.target;
        cpu.running.cpu = cpu;
        cpu.waiting.remove(cpu.running);
        cpu.log.add("run " + cpu.running);
    }

    /** Whether the active thread's target may run in its place; uses the active thread's wake-up. */
    private static boolean lends(Cpu cpu) {
        Thread target = cpu.active.target;
        if (target == null) {
            return false;
        }
        boolean woken = cpu.active.killed || cpu.active.wakeup;
        cpu.active.wakeup &= cpu.active.killed;
        return !woken && !cpu.recalled && target.runnable() && target.cpu == null
                && (target.affinity == NO_CPU || target.affinity == cpu.index);
    }

    private static void endLending(Cpu cpu) {
        cpu.recalled = false;
        if (cpu.active != null) {
            cpu.active.target = null;
        }
    }

    private static void leave(Cpu cpu) {
        cpu.active.cpu = null;
        cpu.active = null;
    }

    private static void requeue(Cpu cpu, boolean last) {
        Thread thread = cpu.active;
        leave(cpu);
        cpu.waiting.add(last ? cpu.waiting.size() : 0, thread);
    }

    /** It ran in another's turn; its own is still to come, before its equals. */
    private void goHome(Thread thread) {
        if (thread.runnable() && thread.affinity != NO_CPU) {
            cpus.get(thread.affinity).waiting.addFirst(thread);
        }
    }

    private void land(Thread thread) {
        if (thread.affinity != NO_CPU) {
            cpus.get(thread.affinity).waiting.remove(thread);
        }
        thread.target = null;
        thread.affinity = thread.destination;
        thread.destination = STAYS;
    }
}
