package gunyah.hyp;

import java.util.Map;

/**
 * What the root VM is told at boot (Gunyah rm_env_data and its CBOR map): capability ids in its own cspace, and the
 * memory map it divides. Addresses and sizes in bytes, physical = IPA of the root VM.
 *
 * @param partitionCap    root partition, all rights
 * @param cspaceCap       the root VM's own cspace
 * @param addrspaceCap    the root VM's own address space (VMID 255)
 * @param vcpuCap         the root VM's vCPU
 * @param vicCap          the root VM's VIC, SPIs 32 and up
 * @param memextentCap    root memory extent: SPARSE, base 0, spans physical memory, owns all RAM that is not the
 *                        hypervisor's; RM derives, donates and maps from it
 * @param deviceExtentCap device memory extent (physical addresses below the RAM base)
 * @param rmBase          RAM of the root VM itself, mapped RW in its address space
 * @param rmSize          bytes of it
 * @param hlosBase        RAM for the primary VM
 * @param hlosSize        bytes of it
 * @param hlosEntry       entry address of the primary VM
 * @param hlosDtb         where the primary VM's device tree is or goes (room for 64 KiB)
 * @param cpuCount        physical CPUs
 * @param hwirqCaps       capability of each hardware interrupt, by its number; all rights
 */
public record RootVmEnv(long partitionCap, long cspaceCap, long addrspaceCap, long vcpuCap, long vicCap,
        long memextentCap, long deviceExtentCap, long rmBase, long rmSize, long hlosBase, long hlosSize,
        long hlosEntry, long hlosDtb, int cpuCount, Map<Integer, Long> hwirqCaps) {
    public RootVmEnv {
        hwirqCaps = Map.copyOf(hwirqCaps);
    }
}
