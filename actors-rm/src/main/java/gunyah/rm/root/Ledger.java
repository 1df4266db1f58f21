package gunyah.rm.root;

import gunyah.hyp.ObjectType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that was made for one VM and how to unmake it: objects, capability copies, interrupt lines, mappings.
 * Undone latest first, one thing per {@link #undoOne}, so that a reset takes small steps; a defect on the way leaves
 * the thing here.
 */
public final class Ledger {
    /** Order of undoing (public Resource Manager, reset stages 1 and 4). */
    public enum Stage { VDEVICES, OBJECTS }

    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);

    private final Hypercalls hypercalls;
    private final Map<Stage, Deque<Runnable>> undo = new EnumMap<>(Stage.class);

    public Ledger(Hypercalls hypercalls) {
        this.hypercalls = hypercalls;
        for (Stage stage : Stage.values()) {
            undo.put(stage, new ArrayDeque<>());
        }
    }

    /** Makes an object. {@return its master cap} */
    public long create(Stage stage, ObjectType type) {
        long cap = hypercalls.create(type);
        add(stage, () -> hypercalls.delete(cap));
        return cap;
    }

    /** Copies a cap into another cspace. {@return its id there} */
    public long copy(Stage stage, long cap, long toCspace, int rights) {
        long copied = hypercalls.copy(cap, toCspace, rights);
        add(stage, () -> hypercalls.deleteFrom(toCspace, copied));
        return copied;
    }

    /** Takes any line. {@return its INTID} */
    public int take(Stage stage, VirqPool pool) {
        int intid = pool.take();
        add(stage, () -> pool.giveBack(intid));
        return intid;
    }

    /** Takes the line a device tree fixes, or any when it fixes none (0). {@return its INTID} */
    public int take(Stage stage, VirqPool pool, int fixed) {
        if (fixed == 0) {
            return take(stage, pool);
        }
        pool.take(fixed);
        add(stage, () -> pool.giveBack(fixed));
        return fixed;
    }

    public void add(Stage stage, Runnable undoing) {
        undo.get(stage).push(undoing);
    }

    /** Undoes the latest entry of a stage. {@return whether there was one} */
    public boolean undoOne(Stage stage) {
        Runnable next = undo.get(stage).peek();
        if (next == null) {
            return false;
        }
        attempt(next);
        undo.get(stage).remove();
        return true;
    }

    /** Undoes all entries of a stage. */
    public void undoAll(Stage stage) {
        while (undoOne(stage)) {
            // One after the other.
        }
    }

    /** Undoes everything. */
    public void undoAll() {
        for (Stage stage : Stage.values()) {
            undoAll(stage);
        }
    }

    // The owner waits for the end of a reset for ever, so one thing that stays behind must not keep the rest.
    private static void attempt(Runnable undoing) {
        try {
            undoing.run();
        } catch (HypFault fault) {
            LOG.warn("left behind: {}", fault.getMessage());
        }
    }
}
