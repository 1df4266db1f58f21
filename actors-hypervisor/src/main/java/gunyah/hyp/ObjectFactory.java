package gunyah.hyp;

import gunyah.hyp.partition.Partition;

/** Makes kernel objects for the {@code partition_create_*} calls. Thread safe. */
@FunctionalInterface
public interface ObjectFactory {
    /** {@return a new object in INIT without references, or null when there is no memory for one} */
    KernelObject create(ObjectType type, Partition partition);
}
