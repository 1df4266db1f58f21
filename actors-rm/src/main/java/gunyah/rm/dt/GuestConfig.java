package gunyah.rm.dt;

import java.util.List;
import java.util.Optional;

/**
 * What a guest's device tree asks of the Resource Manager: {@code /gunyah-vm-config}, cpus, interrupt controller and
 * virtual devices.
 *
 * @param name         image-name, required, under 80 bytes
 * @param uri          vm-uri
 * @param guid         vm-guid, 16 bytes big endian
 * @param baseAddress  IPA of private memory when nobody says where the image goes
 * @param noShutdown   attribute no-shutdown
 * @param noReset      attribute no-reset
 * @param psci         whether the VM gets a power management group
 * @param vcpus        its vCPUs
 * @param gic          its interrupt controller
 * @param vdevices     its virtual devices, in tree order
 */
public record GuestConfig(String name, Optional<String> uri, Optional<String> guid, long baseAddress,
        boolean noShutdown, boolean noReset, boolean psci, Vcpus vcpus, Gic gic, List<Vdevice> vdevices) {

    public GuestConfig {
        vdevices = List.copyOf(vdevices);
    }

    /** How vCPUs get CPU time. */
    public enum Affinity { STATIC, STICKY, PINNED, PROXY }

    /**
     * The vCPUs.
     *
     * @param affinity        policy
     * @param cpus            one per vCPU, in order
     * @param affinityMap     physical CPU of each; empty for proxy
     * @param priorityOffset  to the owner's priority
     * @param timesliceMicros microseconds
     */
    public record Vcpus(Affinity affinity, List<CpuNode> cpus, List<Integer> affinityMap, int priorityOffset,
            int timesliceMicros) {
        public Vcpus {
            cpus = List.copyOf(cpus);
            affinityMap = List.copyOf(affinityMap);
        }
    }

    /**
     * A cpu node.
     *
     * @param path node path
     * @param boot whether START powers it on
     */
    public record CpuNode(String path, boolean boot) {
    }

    /**
     * The GICv3 node.
     *
     * @param path          node path
     * @param distributor   IPA of the distributor
     * @param redistributor IPA of the first redistributor
     * @param stride        bytes from one redistributor to the next
     * @param phandle       of the node, 0 = none
     * @param addressed     whether the tree said the addresses; else they are ours and the node is patched
     */
    public record Gic(String path, long distributor, long redistributor, long stride, int phandle,
            boolean addressed) {
        public static final long DISTRIBUTOR_SIZE = 0x1_0000;
        public static final long REDISTRIBUTOR_SIZE = 0x2_0000;
    }

    /** A virtual device node. */
    public sealed interface Vdevice {
        /** {@return path of the node to make} */
        String generate();

        /** {@return strings to put first in {@code compatible}} */
        List<String> pushCompatible();

        /** {@return the device's label} */
        int label();
    }

    /**
     * A link to the Resource Manager.
     *
     * @param txVirq guest INTID, 0 = any
     * @param rxVirq guest INTID, 0 = any
     */
    public record RpcDevice(String generate, List<String> pushCompatible, int label, int messageSize, int depth,
            int txVirq, int rxVirq) implements Vdevice {
    }

    /**
     * A doorbell between guest and owner.
     *
     * @param guestRings     whether the guest rings and the owner hears, or the other way round
     * @param sourceCanClear whether the ringing side may also clear flags
     * @param virq           INTID in the guest when it hears, 0 = any
     */
    public record DoorbellDevice(String generate, List<String> pushCompatible, int label, boolean guestRings,
            boolean sourceCanClear, int virq) implements Vdevice {
    }
}
