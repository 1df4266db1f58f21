package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.Peer;
import gunyah.rm.dt.GuestConfig.QueueDevice;
import gunyah.rm.dt.GuestConfig.QueuePairDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.Vdevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Root;
import gunyah.rm.vm.Channel.End;
import gunyah.rm.vm.Channel.Side;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A virtual device between two VMs: its channels, and who sits at its two ends. One end is described by a node of the VM
 * that made it; the other by a node of the peer, or by none when the peer has no such node (as the primary VM never has).
 */
final class Junction {
    /**
     * A VM at one end.
     *
     * @param vm   the VM
     * @param node its node, empty when it has none
     * @param ends its ends of the channels
     */
    record Seat(Vm vm, Optional<Vdevice> node, List<End> ends) {
    }

    /** How a channel of a device runs, seen from the VM with the node. */
    private record Lane(Side side, int virq) {
    }

    private final Root root;
    private final Vdevice device;
    private final List<Lane> lanes;
    private final List<Channel> channels = new ArrayList<>();
    /** Index 0: as the device says; index 1: the other way round. */
    private final List<Optional<Seat>> seats = new ArrayList<>(List.of(Optional.empty(), Optional.empty()));

    /** Makes the channels of a device; nobody sits yet. */
    Junction(Root root, Vdevice device) {
        this.root = root;
        this.device = device;
        this.lanes = lanes(device);
        try {
            for (int i = 0; i < lanes.size(); i++) {
                channels.add(channel(root.hypercalls(), device));
            }
        } catch (RuntimeException refused) {
            delete();
            throw refused;
        }
    }

    private static Channel channel(Hypercalls hypercalls, Vdevice device) {
        return switch (device) {
            case DoorbellDevice bell -> Channel.doorbell(hypercalls, bell.sourceCanClear());
            case QueueDevice queue -> Channel.queue(hypercalls, queue.depth(), queue.messageSize());
            case QueuePairDevice pair -> Channel.queue(hypercalls, pair.depth(), pair.messageSize());
            case SharedMemoryDevice memory -> Channel.doorbell(hypercalls, true);
            case RpcDevice rpc -> throw new IllegalArgumentException("not between VMs");
            case IoMemoryDevice memory -> throw new IllegalArgumentException("not between VMs");
            case VirtioDevice virtio -> throw new IllegalArgumentException("has no channel");
        };
    }

    private static List<Lane> lanes(Vdevice device) {
        return switch (device) {
            case DoorbellDevice bell -> List.of(new Lane(bell.guestRings() ? Side.SOURCE : Side.RECEIVER, bell.virq()));
            case QueueDevice queue -> List.of(new Lane(queue.guestSends() ? Side.SOURCE : Side.RECEIVER, queue.virq()));
            case QueuePairDevice pair ->
                    List.of(new Lane(Side.SOURCE, pair.txVirq()), new Lane(Side.RECEIVER, pair.rxVirq()));
            case SharedMemoryDevice memory -> memory.doorbells()
                    ? List.of(new Lane(Side.SOURCE, 0), new Lane(Side.RECEIVER, 0)) : List.of();
            case RpcDevice rpc -> List.of();
            case IoMemoryDevice memory -> List.of();
            case VirtioDevice virtio -> List.of();
        };
    }

    /** Seats the VM whose device this is. */
    void seatMaker(Vm vm) {
        seat(0, vm, Optional.of(device), lanes);
    }

    /** Seats the VM at the other end, by its own node if it has one. */
    void seatPeer(Vm vm, Optional<Vdevice> node) {
        int index = seats.getFirst().isEmpty() ? 0 : 1;
        List<Lane> own = node.map(Junction::lanes).orElse(List.of());
        List<Lane> turned = new ArrayList<>();
        for (Lane lane : lanes) {
            Side side = index == 0 ? lane.side : lane.side.other();
            turned.add(new Lane(side, own.stream().filter(l -> l.side == side).mapToInt(Lane::virq).findFirst().orElse(0)));
        }
        seat(index, vm, node, turned);
    }

    private void seat(int index, Vm vm, Optional<Vdevice> node, List<Lane> wanted) {
        List<End> ends = new ArrayList<>();
        try {
            for (int i = 0; i < channels.size(); i++) {
                ends.add(channels.get(i).attach(wanted.get(i).side, vm, wanted.get(i).virq));
            }
        } catch (RuntimeException refused) {
            leave(ends);
            throw refused;
        }
        seats.set(index, Optional.of(new Seat(vm, node, List.copyOf(ends))));
    }

    private void leave(List<End> ends) {
        for (int i = ends.size() - 1; i >= 0; i--) {
            channels.get(i).detach(ends.get(i));
        }
    }

    /** Takes a VM's seat away. */
    void unseat(Vm vm) {
        for (int i = 0; i < seats.size(); i++) {
            if (seats.get(i).filter(seat -> seat.vm == vm).isPresent()) {
                leave(seats.get(i).get().ends);
                seats.set(i, Optional.empty());
            }
        }
    }

    /** {@return the seat of this VM} */
    Optional<Seat> seatOf(Vm vm) {
        return seats.stream().flatMap(Optional::stream).filter(seat -> seat.vm == vm).findFirst();
    }

    /** {@return who sits opposite of this VM} */
    Optional<Seat> opposite(Vm vm) {
        return seats.stream().flatMap(Optional::stream).filter(seat -> seat.vm != vm).findFirst();
    }

    /** {@return whether one with a node sits here and waits for the other} */
    boolean isWaiting() {
        return waiting().isPresent();
    }

    private Optional<Seat> waiting() {
        List<Seat> taken = seats.stream().flatMap(Optional::stream).toList();
        return taken.size() == 1 ? taken.stream().filter(seat -> seat.node.isPresent()).findFirst() : Optional.empty();
    }

    /** {@return whether nobody with a node sits here besides this VM, so that nobody can come when it goes} */
    boolean isAbandonedWithout(Vm vm) {
        return opposite(vm).filter(seat -> seat.node.isPresent()).isEmpty();
    }

    /** {@return whether it waits for a VM of this configuration} */
    boolean waitsFor(GuestConfig config) {
        return waiting().filter(seat -> seat.node.get().head().peer().means(config)).isPresent();
    }

    /** {@return whether this node of a VM it waits for is the other end} */
    boolean fits(Vdevice node) {
        Seat seat = waiting().orElseThrow();
        Vdevice there = seat.node.get();
        return node.label() == there.label() && node.head().peer().kind() != Peer.Kind.OWNER
                && node.head().peer().means(seat.vm.configured()) && complementary(there, node);
    }

    private static boolean complementary(Vdevice one, Vdevice other) {
        return switch (one) {
            case DoorbellDevice bell ->
                    other instanceof DoorbellDevice opposite && opposite.guestRings() != bell.guestRings();
            case QueuePairDevice pair -> other instanceof QueuePairDevice opposite
                    && opposite.depth() == pair.depth() && opposite.messageSize() == pair.messageSize();
            case SharedMemoryDevice memory ->
                    other instanceof SharedMemoryDevice opposite && opposite.doorbells() == memory.doorbells();
            case QueueDevice queue -> false;
            case RpcDevice rpc -> false;
            case IoMemoryDevice memory -> false;
            case VirtioDevice virtio -> false;
        };
    }

    void delete() {
        channels.reversed().forEach(channel -> root.journal().afterwards(channel::delete));
        channels.clear();
    }
}
