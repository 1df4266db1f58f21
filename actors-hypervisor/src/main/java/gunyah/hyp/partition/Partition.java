package gunyah.hyp.partition;

import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.StateText;

/**
 * Owner of everything that is not handed out: objects are made and memory is donated from it (Gunyah
 * hyp/core/partition_standard). There is one, the root partition; its id owns frames that no extent has.
 */
public final class Partition extends KernelObject {
    public Partition(int id) {
        super(ObjectType.PARTITION, id);
    }

    @Override
    protected void describe(StateText text) {
        // nothing but what every object has
    }

    @Override
    protected HypError onActivate() {
        return HypError.OK;
    }

    @Override
    protected void onDestroy() {
        // nothing: what it made holds no reference to it, and its frames stay its own
    }
}
