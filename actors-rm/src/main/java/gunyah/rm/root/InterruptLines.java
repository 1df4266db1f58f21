package gunyah.rm.root;

import java.util.HashMap;
import java.util.Map;

/** What happens when one of the root VM's own lines fires. */
public final class InterruptLines {
    private final Map<Integer, Runnable> handlers = new HashMap<>();

    public void connect(int intid, Runnable handler) {
        handlers.put(intid, handler);
    }

    public void disconnect(int intid) {
        handlers.remove(intid);
    }

    /** Runs the line's handler; a line that was disconnected meanwhile has none. */
    public void fire(int intid) {
        handlers.getOrDefault(intid, () -> { }).run();
    }
}
