package gunyah.hyp.addrspace;

/** Who records mappings into address spaces: memory extents. */
@FunctionalInterface
public interface MappingOwner {
    /** Drops what is recorded for an address space that is being destroyed. */
    void forget(Addrspace addrspace);
}
