package gunyah.rm.root;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A change of what VMs own and map that takes several hypercalls: it happens as a whole, or every step of it is undone,
 * latest first, whatever stopped it. Changes do not nest. Belongs to the Resource Manager's actor.
 */
public final class Journal {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

    private final Deque<Runnable> undo = new ArrayDeque<>();

    /** Runs a change. What it throws is thrown again when all its steps are undone. */
    public void whole(Runnable change) {
        try {
            change.run();
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

    private void rollBack() {
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (RuntimeException refused) {
                LOG.warn("a step could not be undone: {}", refused.getMessage());
            }
        }
    }
}
