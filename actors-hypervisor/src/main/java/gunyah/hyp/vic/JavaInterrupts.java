package gunyah.hyp.vic;

import gunyah.hyp.StateText;
import java.util.BitSet;
import java.util.function.IntConsumer;

/**
 * The interrupts of a VM whose vCPUs run Java and so have no CPU interface: its handler takes each, which counts as
 * acknowledged and ended. What comes before there is a handler is kept, once for each INTID. Guarded by the
 * controller's lock; handlers are called without it.
 */
final class JavaInterrupts {
    private final BitSet kept = new BitSet();
    private boolean inUse;
    private IntConsumer handler;
    private long handedOver;

    void use() {
        inUse = true;
    }

    boolean inUse() {
        return inUse;
    }

    long handedOver() {
        return handedOver;
    }

    void describe(StateText text) {
        text.put("java", inUse).put("undelivered", kept.toString());
    }

    /** {@return who has to be told of this interrupt, null when it was kept} */
    IntConsumer take(int slot) {
        if (handler == null) {
            kept.set(slot);
        } else {
            handedOver++;
        }
        return handler;
    }

    void forget(int slot) {
        kept.clear(slot);
    }

    /** {@return the slots that were kept, for the new handler} */
    BitSet handler(IntConsumer newHandler) {
        handler = newHandler;
        BitSet late = (BitSet) kept.clone();
        kept.clear();
        return late;
    }
}
