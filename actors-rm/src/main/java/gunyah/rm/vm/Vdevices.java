package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.Peer;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.memparcel.IpaSpace;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmState;
import gunyah.rm.vm.Channel.End;
import gunyah.rm.vm.Channel.Side;
import gunyah.rm.vm.Junction.Seat;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtual devices between VMs (vm_config.c). A device whose peer is not there yet is complete for its own VM; the peer
 * takes its end when it is initialised. When a VM is reset its ends go, and the other VM's device waits again.
 */
public final class Vdevices {
    private static final Logger LOG = LoggerFactory.getLogger(Vdevices.class);
    /** What the root VM's links use at the beginning of its memory. */
    private static final long MESSAGES_SIZE = 0x1_0000;

    private final Root root;
    private final VmTable vms;
    private final Set<Junction> junctions = new LinkedHashSet<>();
    private final Set<VirtioMmio> virtios = new LinkedHashSet<>();
    /** Offsets in the root VM's memory that register pages can have. */
    private final IpaSpace pages;

    public Vdevices(Root root, VmTable vms) {
        this.root = root;
        this.vms = vms;
        this.pages = new IpaSpace(root.env().rmSize());
        pages.take(0, MESSAGES_SIZE);
    }

    /** Makes the devices of a VM that is initialised; what was made before a failure goes at its reset. */
    void build(Vm vm, Vm owner) {
        List<Vdevice> nodes = vm.configured().vdevices();
        for (Vdevice node : nodes) {
            switch (node) {
                case RpcDevice rpc -> { }
                case IoMemoryDevice memory -> { }
                case VirtioDevice virtio -> virtios.add(new VirtioMmio(root, pages, virtio, vm, owner));
                default -> connect(vm, node, owner);
            }
        }
        for (Junction junction : junctions) {
            if (junction.waitsFor(vm.configured()) && junction.seatOf(vm).isEmpty()) {
                join(junction, vm, Optional.empty());
            }
        }
    }

    private void connect(Vm vm, Vdevice node, Vm owner) {
        Optional<Junction> known = junctions.stream()
                .filter(j -> j.isWaiting() && j.seatOf(vm).isEmpty() && j.waitsFor(vm.configured()) && j.fits(node))
                .findFirst();
        if (known.isPresent()) {
            join(known.get(), vm, Optional.of(node));
            return;
        }
        Junction junction = new Junction(root, node);
        junctions.add(junction);
        try {
            junction.seatMaker(vm);
        } catch (RuntimeException refused) {
            junctions.remove(junction);
            junction.delete();
            throw refused;
        }
        if (node.head().peer().kind() == Peer.Kind.OWNER) {
            junction.seatPeer(owner, Optional.empty());
        } else {
            present(node.head().peer()).ifPresent(peer -> join(junction, peer, Optional.empty()));
        }
    }

    private Optional<Vm> present(Peer peer) {
        return vms.all().stream().filter(vm -> vm.isIn(VmState.READY, VmState.RUNNING, VmState.PAUSED))
                .filter(vm -> vm.config.filter(peer::means).isPresent()).findFirst();
    }

    private void join(Junction junction, Vm vm, Optional<Vdevice> node) {
        junction.seatPeer(vm, node);
        junction.opposite(vm).ifPresent(seat -> vms.join(vm, seat.vm()));
    }

    /** Takes one device away from a VM that is reset. {@return whether it had one} */
    boolean removeOne(Vm vm) {
        Optional<VirtioMmio> virtio = virtios(vm).findFirst();
        if (virtio.isPresent()) {
            virtio.get().remove();
            virtios.remove(virtio.get());
            return true;
        }
        Optional<Junction> next = junctions.stream().filter(j -> j.seatOf(vm).isPresent()).findFirst();
        next.ifPresent(junction -> remove(junction, vm));
        return next.isPresent();
    }

    private Stream<VirtioMmio> virtios(Vm frontend) {
        return virtios.stream().filter(device -> device.frontend == frontend);
    }

    /** {@return a VM's virtio devices, in the order of its nodes} */
    List<VirtioMmio> virtioOf(Vm vm) {
        return virtios(vm).toList();
    }

    private void remove(Junction junction, Vm vm) {
        try {
            // Its own seat goes last: as long as that is there, the device is found again when this is interrupted.
            boolean abandoned = junction.isAbandonedWithout(vm);
            if (abandoned) {
                junction.opposite(vm).ifPresent(seat -> junction.unseat(seat.vm()));
            }
            junction.unseat(vm);
            if (abandoned) {
                junctions.remove(junction);
                junction.delete();
            }
        } catch (HypFault fault) {
            LOG.warn("a device of VM {} stays behind: {}", vm.vmid, fault.getMessage());
            junctions.remove(junction);
        }
    }

    /** {@return seats of a VM's own devices, in the order of its nodes} */
    List<Seated> of(Vm vm) {
        List<Seated> seated = new ArrayList<>();
        for (Vdevice node : vm.configured().vdevices()) {
            junctions.stream().flatMap(j -> j.seatOf(vm).filter(seat -> seat.node().filter(n -> n == node).isPresent())
                    .map(seat -> new Seated(node, seat.ends(), j.opposite(vm).map(other -> other.vm().vmid)))
                    .stream()).findFirst().ifPresent(seated::add);
        }
        return seated;
    }

    /**
     * A device of a VM.
     *
     * @param node     its node
     * @param ends     the VM's ends, sources first
     * @param peerVmid who is at the other end, if somebody is
     */
    record Seated(Vdevice node, List<End> ends, Optional<Integer> peerVmid) {
    }

    /** {@return what {@code caller} holds of the devices between it and {@code vm}} */
    List<HypResource> resources(Vm caller, Vm vm) {
        List<HypResource> own = new ArrayList<>();
        List<HypResource> others = new ArrayList<>();
        for (Junction junction : junctions) {
            Optional<Seat> mine = junction.seatOf(caller);
            Optional<Seat> theirs = junction.seatOf(vm);
            if (caller != vm && mine.isPresent() && theirs.isPresent()) {
                boolean described = mine.get().node().isPresent();
                Vdevice node = mine.get().node().or(() -> theirs.get().node()).orElseThrow();
                mine.get().ends().forEach(end -> (described ? own : others).add(
                        HypResource.of(type(end), vm.vmid, node.label(), end.cap, end.virq)));
            }
        }
        own.addAll(others);
        virtios(vm).filter(device -> device.backend == caller).map(VirtioMmio::resource).forEach(own::add);
        return own;
    }

    private static ResourceType type(End end) {
        if (end.queue) {
            return end.side == Side.SOURCE ? ResourceType.MSGQUEUE_SEND : ResourceType.MSGQUEUE_RECEIVE;
        }
        return end.side == Side.SOURCE ? ResourceType.DOORBELL_SOURCE : ResourceType.DOORBELL_RECEIVER;
    }
}
