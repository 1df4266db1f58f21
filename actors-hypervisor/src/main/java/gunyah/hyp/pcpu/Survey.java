package gunyah.hyp.pcpu;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * Who waits for a physical CPU and who is taken for it, asked of the threads themselves: what a scheduler whose queues
 * can not be trusted any more begins again with. Belongs to the CPU's actor.
 */
final class Survey {
    private final Pcpu cpu;
    private final Set<Schedulable> threads = Collections.newSetFromMap(new IdentityHashMap<>());

    /** @param threads those of the machine; others that the CPU may know are named with {@link #add} */
    Survey(Pcpu cpu, Iterable<? extends Schedulable> threads) {
        this.cpu = cpu;
        threads.forEach(this.threads::add);
    }

    /** Adds a thread that may be about to leave the machine; null for none. */
    void add(Schedulable thread) {
        if (thread != null) {
            threads.add(thread);
        }
    }

    /** {@return the thread on whose slice {@code holder} runs: itself, or who yields to it} */
    Schedulable entity(Schedulable holder) {
        for (Schedulable thread : threads) {
            if (thread != holder && holder != null && thread.runningOn() == cpu && thread.yieldTarget == holder) {
                return thread;
            }
        }
        return holder;
    }

    /** {@return those but these two that queue on this CPU or are taken for it, in no queue any more} */
    Iterable<Schedulable> others(Schedulable holder, Schedulable entity) {
        threads.removeIf(thread -> thread == holder || thread == entity || !isHere(thread));
        threads.forEach(Survey::unlink);
        return threads;
    }

    private boolean isHere(Schedulable thread) {
        Pcpu on = thread.runningOn();
        return on == cpu || on == null && thread.affinity() == cpu.index();
    }

    static void unlink(Schedulable thread) {
        thread.queued = false;
        thread.previous = null;
        thread.next = null;
    }
}
