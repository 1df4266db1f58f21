package gunyah.hyp;

import java.util.Optional;

/**
 * Decides which vCPUs execute Java instead of A64 code. Supplied by the wiring; asked once per vCPU that is flagged
 * hlos_vm, when it is activated. Nothing else in the hypervisor knows the difference.
 */
@FunctionalInterface
public interface VcpuWorkFactory {
    /** Every vCPU executes A64 code. */
    VcpuWorkFactory NONE = (vmid, index) -> Optional.empty();

    /**
     * {@return the work of the vCPU, empty if it executes A64 code}
     *
     * @param vmid  of its VM
     * @param index of the vCPU in its VM, 0..
     */
    Optional<VcpuWork> forVcpu(int vmid, int index);
}
