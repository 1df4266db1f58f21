package gunyah.hyp.partition;

import akka.actor.typed.ActorSystem;
import gunyah.hyp.IdSource;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectFactory;
import gunyah.hyp.ObjectType;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.Vmids;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.doorbell.Doorbell;
import gunyah.hyp.memextent.MemExtent;
import gunyah.hyp.memextent.MemoryTree;
import gunyah.hyp.msgqueue.MsgQueue;
import java.util.random.RandomGenerator;

/** Makes the passive objects; threads, VICs and VPM groups come from the factory behind it. Thread safe. */
public final class CoreObjectFactory implements ObjectFactory {
    private final ActorSystem<?> system;
    private final IdSource ids;
    private final MemoryTree tree;
    private final RandomGenerator capIds;
    private final ObjectFactory others;
    private final Vmids vmids = new Vmids();

    /**
     * @param capIds draws the parameters of capability ids, thread safe; null for the plain ids of a debug build
     * @param others makes every type that is not made here
     */
    public CoreObjectFactory(ActorSystem<?> system, IdSource ids, MemoryTree tree, RandomGenerator capIds,
            ObjectFactory others) {
        this.system = system;
        this.ids = ids;
        this.tree = tree;
        this.capIds = capIds;
        this.others = others;
    }

    @Override
    public KernelObject create(ObjectType type, Partition partition) {
        return switch (type) {
            case CSPACE -> new CSpace(ids.next(), capIds);
            case ADDRSPACE -> Addrspace.create(ids.next(), system, tree.memory(), vmids);
            case MEMEXTENT -> new MemExtent(ids.next(), tree, partition);
            case DOORBELL -> new Doorbell(ids.next(), system);
            case MSGQUEUE -> new MsgQueue(ids.next(), system);
            default -> others.create(type, partition);
        };
    }
}
