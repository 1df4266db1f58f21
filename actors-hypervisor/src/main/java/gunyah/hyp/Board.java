package gunyah.hyp;

import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.hwirq.HardwareLine;
import gunyah.memory.PhysicalMemory;
import java.util.List;
import java.util.function.IntFunction;

/**
 * What surrounds the hypervisor when it starts: memory as the boot loader left it, and devices that the primary VM
 * reaches at their physical addresses. Asked once, on the thread that starts the machine.
 */
public interface Board {
    /** Nothing loaded and no devices: the primary VM is Java, and its device tree is the root VM's work. */
    Board BARE = (memory, base, size) -> new Loaded(base + 0x100_0000L, base + 0xF0_0000L);

    /**
     * Where the primary VM begins.
     *
     * @param entry      address of its first instruction
     * @param deviceTree address of its device tree, or of room for one of 64 KiB
     */
    record Loaded(long entry, long deviceTree) {
    }

    /**
     * Puts the primary VM's program and what it needs into its RAM.
     *
     * @param base first physical address of that RAM, 1 GiB aligned
     * @param size bytes of it
     */
    Loaded load(PhysicalMemory memory, long base, long size);

    /**
     * Connects the devices' interrupts.
     *
     * @param lines the machine's hardware interrupts by number; the root VM decides where each goes
     */
    default void wire(IntFunction<HardwareLine> lines) {
    }

    /**
     * {@return registers at physical addresses, for the primary VM when its vCPUs execute guest code} The hypervisor
     * connects them to the first address space whose vCPUs are flagged hlos_vm; in the original the root VM maps their
     * pages.
     */
    default List<VdeviceRegion> devices() {
        return List.of();
    }
}
