package gunyah.rm.root;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How changes of several hypercalls survive a defect of ours on the way. A change of what VMs own and map happens as a
 * whole, or every step of it is undone, latest first, whatever stopped it; changes do not nest. What remains to be done
 * when a change is decided is a duty: it is done although it may take another life of the actor. Belongs to the
 * Resource Manager's actor.
 */
public final class Journal {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

    private final Hypercalls hypercalls;
    private final Deque<Runnable> undo = new ArrayDeque<>();
    private final List<Runnable> duties = new ArrayList<>();

    public Journal(Hypercalls hypercalls) {
        this.hypercalls = hypercalls;
    }

    /** Runs a change. What it throws is thrown again when all its steps are undone. */
    public void whole(Runnable change) {
        try {
            change.run();
            hypercalls.throwLate();
            undo.clear();
        } finally {
            rollBack();
        }
    }

    /** A step: {@code action} may be refused by throwing, then there is nothing of it to undo. */
    public void step(Runnable action, Runnable undoing) {
        action.run();
        undo.push(undoing);
    }

    // What a defect interrupts here is undone in the next life.
    private void rollBack() {
        RuntimeException late = hypercalls.takeLate();
        while (!undo.isEmpty()) {
            unlessRefused(undo.peek());
            undo.pop();
        }
        if (late != null) {
            hypercalls.putLate(late);
        }
    }

    /** A duty for the end of the request or turn; so what answers the request does not depend on it. */
    public void afterwards(Runnable duty) {
        duties.add(duty);
    }

    /** A duty for now. */
    public void surely(Runnable duty) {
        duties.add(duty);
        discharge(duty);
    }

    /** Does all duties there are. A refused one is not tried again. */
    public void settle() {
        while (!duties.isEmpty()) {
            discharge(duties.getFirst());
        }
    }

    private void discharge(Runnable duty) {
        unlessRefused(duty);
        duties.remove(duty);
    }

    private static void unlessRefused(Runnable action) {
        try {
            action.run();
        } catch (HypFault refused) {
            LOG.warn("left behind: {}", refused.getMessage());
        }
    }

    /** Undoes and does what a defect interrupted; another defect ends it. */
    public void resume() {
        while (!undo.isEmpty()) {
            attempt(undo.pop());
        }
        while (!duties.isEmpty()) {
            attempt(duties.removeFirst());
        }
    }

    private static void attempt(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException refused) {
            LOG.warn("a step is not undone or not finished: {}", refused.getMessage());
        }
    }
}
