package gunyah.rm.dt;

import gunyah.rm.rpc.MemRange;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a guest's device tree asks of the Resource Manager: {@code /gunyah-vm-config}, cpus, interrupt controller and
 * virtual devices.
 *
 * @param name         image-name, required, under 80 bytes
 * @param uri          vm-uri
 * @param guid         vm-guid, 16 bytes big endian
 * @param memory       its private memory
 * @param noShutdown   attribute no-shutdown
 * @param noReset      attribute no-reset
 * @param sensitive    whether its memory is to be hidden from other VMs
 * @param entryOffset  kernel-entry-offset of an authenticated image
 * @param psci         whether the VM gets a power management group
 * @param vcpus        its vCPUs
 * @param gic          its interrupt controller
 * @param vdevices     its virtual devices, in tree order
 */
public record GuestConfig(String name, Optional<String> uri, Optional<String> guid, Memory memory,
        boolean noShutdown, boolean noReset, boolean sensitive,
        long entryOffset, boolean psci, Vcpus vcpus, Gic gic, List<Vdevice> vdevices) {

    public GuestConfig {
        vdevices = List.copyOf(vdevices);
    }

    /** {@return the INTIDs that its nodes fix} */
    public Set<Integer> fixedVirqs() {
        return vdevices.stream().flatMap(device -> switch (device) {
            case RpcDevice rpc -> Stream.of(rpc.txVirq, rpc.rxVirq);
            case QueuePairDevice pair -> Stream.of(pair.txVirq, pair.rxVirq);
            case DoorbellDevice bell -> Stream.of(bell.virq);
            case QueueDevice queue -> Stream.of(queue.virq);
            case VirtioDevice virtio -> Stream.of(virtio.virq);
            case SharedMemoryDevice memory -> Stream.<Integer>of();
            case IoMemoryDevice memory -> Stream.<Integer>of();
        }).filter(virq -> virq != 0).collect(Collectors.toUnmodifiableSet());
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

    /**
     * Where private memory goes when the owner does not say it by SET_ADDRESS_LAYOUT. Bytes.
     *
     * @param base            IPA of the image parcel
     * @param sizeMin         less at START is only noted
     * @param sizeMax         most that is appended
     * @param firmwareAddress IPA of a firmware parcel of its own
     * @param firmwareSizeMax bytes of that window
     */
    public record Memory(long base, long sizeMin, long sizeMax, Optional<Long> firmwareAddress,
            long firmwareSizeMax) {
    }

    /** Who is at the other end of a virtual device. */
    public record Peer(Kind kind, String text) {
        /** How a peer is named; the owner needs no name. */
        public enum Kind { OWNER, NAME, URI, GUID }

        /** The VM's owner. */
        public static final Peer OWNER = new Peer(Kind.OWNER, "");

        /** {@return whether a VM of this configuration is meant} */
        public boolean means(GuestConfig config) {
            return switch (kind) {
                case OWNER -> false;
                case NAME -> config.name().equals(text);
                case URI -> config.uri().filter(text::equals).isPresent();
                case GUID -> config.guid().filter(text::equalsIgnoreCase).isPresent();
            };
        }
    }

    /**
     * What all virtual devices have.
     *
     * @param generate       path of the node to make
     * @param pushCompatible strings to put first in {@code compatible}
     * @param label          the device's label
     * @param peer           who is at its other end
     */
    public record Head(String generate, List<String> pushCompatible, int label, Peer peer) {
        public Head {
            pushCompatible = List.copyOf(pushCompatible);
        }
    }

    /** A virtual device node. An INTID of 0 stands for any. */
    public sealed interface Vdevice {
        Head head();

        default int label() {
            return head().label();
        }
    }

    /**
     * A link to the Resource Manager.
     *
     * @param txVirq  guest INTID
     * @param rxVirq  guest INTID
     * @param console whether the VM has a console
     */
    public record RpcDevice(Head head, int messageSize, int depth, int txVirq, int rxVirq, boolean console)
            implements Vdevice {
    }

    /**
     * A doorbell between guest and peer.
     *
     * @param guestRings     whether the guest rings and the peer hears, or the other way round
     * @param sourceCanClear whether the ringing side may also clear flags
     * @param virq           INTID in the guest when it hears
     */
    public record DoorbellDevice(Head head, boolean guestRings, boolean sourceCanClear, int virq) implements Vdevice {
    }

    /**
     * A message queue between guest and owner.
     *
     * @param guestSends whether the guest sends and the owner receives, or the other way round
     * @param virq       INTID in the guest
     */
    public record QueueDevice(Head head, boolean guestSends, int messageSize, int depth, int virq)
            implements Vdevice {
    }

    /**
     * Two message queues between guest and peer, one each way.
     *
     * @param txVirq INTID in the guest: the queue it sends to has room again
     * @param rxVirq INTID in the guest: something came
     */
    public record QueuePairDevice(Head head, int messageSize, int depth, int txVirq, int rxVirq) implements Vdevice {
    }

    /**
     * Memory shared with the peer by a parcel.
     *
     * @param parcelLabel label of the parcel
     * @param base        IPA it is wanted at, empty for any
     * @param optional    whether the guest starts without it
     * @param doorbells   whether there is also a doorbell each way
     * @param dmaBase     {@code dma_base}, passed on
     */
    public record SharedMemoryDevice(Head head, int parcelLabel, Optional<Long> base, boolean optional,
            boolean doorbells, Optional<Long> dmaBase) implements Vdevice {
    }

    /**
     * Device memory lent by the owner's parcel, at IPA = physical address. What is written to the tree goes to the node
     * {@code generate}, or to an existing one.
     *
     * @param parcelLabel label of the parcel
     * @param tag         memory information tag that acceptance fixes
     * @param rights      what guest and owner must have of it, empty for anything
     * @param attributes  memory attributes that guest and owner must have, empty for anything
     * @param ranges      the physical ranges it must consist of, empty for any
     */
    public record IoMemoryDevice(Head head, int parcelLabel, Optional<Integer> tag, List<Integer> rights,
            List<Integer> attributes, List<MemRange> ranges) implements Vdevice {
        public IoMemoryDevice {
            rights = List.copyOf(rights);
            attributes = List.copyOf(attributes);
            ranges = List.copyOf(ranges);
        }
    }

    /**
     * A virtio register page of the hypervisor, whose back end is in the owner.
     *
     * @param parcelLabel label of the parcel its buffers are in
     * @param base        IPA of the page in the guest, empty for any
     * @param queues      virtqueues
     * @param deviceType  virtio device type, empty when the back end makes the configuration space
     * @param dmaBase     passed on
     * @param coherent    passed on
     * @param virq        INTID in the guest
     */
    public record VirtioDevice(Head head, int parcelLabel, Optional<Long> base, int queues,
            Optional<Integer> deviceType, long dmaBase, boolean coherent, int virq) implements Vdevice {
    }
}
