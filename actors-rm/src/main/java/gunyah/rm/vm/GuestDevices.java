package gunyah.rm.vm;

import gunyah.rm.dt.DeviceNodes;
import gunyah.rm.dt.DeviceNodes.Bell;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.QueueDevice;
import gunyah.rm.dt.GuestConfig.QueuePairDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.dt.GuestOverlay;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemAttribute;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.vm.Channel.End;
import gunyah.rm.vm.Vdevices.Seated;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** Writes a guest's virtual devices and the parcels it has into its device tree, at START. */
final class GuestDevices {
    private final Vm vm;
    private final GuestOverlay overlay;
    private final DeviceNodes nodes;
    private final StartParcels parcels;
    /** Phandle of each buffer by its parcel's label. */
    private final Map<Integer, Integer> buffers = new HashMap<>();

    GuestDevices(Vm vm, GuestOverlay overlay, StartParcels parcels) {
        this.vm = vm;
        this.overlay = overlay;
        this.nodes = overlay.devices();
        this.parcels = parcels;
    }

    void write(List<Seated> devices, List<VirtioMmio> virtios) {
        parcels.mapped().stream().filter(p -> p.memType() == ParcelCreate.NORMAL && !parcels.isMemory(p))
                .forEach(this::buffer);
        vm.built().rpc().ifPresent(rpc -> nodes.rpc(rpc.device(), rpc.queues()));
        devices.forEach(this::device);
        virtios.forEach(this::virtio);
        vm.configured().vdevices().stream().filter(IoMemoryDevice.class::isInstance).map(IoMemoryDevice.class::cast)
                .forEach(this::ioMemory);
    }

    private void virtio(VirtioMmio device) {
        nodes.virtio(device.node, device.frontendIpa, device.frontendVirq, device.backend.vmid,
                buffer(device.node.parcelLabel()));
    }

    private void ioMemory(IoMemoryDevice device) {
        parcels.mapped().stream().filter(p -> p.memType() == ParcelCreate.IO && p.label() == device.parcelLabel())
                .findFirst().ifPresent(p -> nodes.ioMemory(device, parcels.places(p), p.handle(), p.owner().vmid(),
                        both(p.acl(), p, AclEntry::vmid, AclEntry::rights),
                        both(p.attributes(), p, MemAttribute::vmid, MemAttribute::attribute)));
    }

    // The value of this VM and that of the parcel's owner, when both have one.
    private <T> List<Integer> both(List<T> entries, MemParcel parcel, ToIntFunction<T> vmid, ToIntFunction<T> value) {
        List<Integer> both = Stream.of(vm.vmid, parcel.owner().vmid()).flatMap(id -> entries.stream()
                .filter(entry -> vmid.applyAsInt(entry) == id).map(value::applyAsInt)).toList();
        return both.size() == 2 ? both : List.of();
    }

    private Optional<Integer> buffer(int label) {
        return Optional.ofNullable(buffers.get(label));
    }

    private void buffer(MemParcel parcel) {
        List<Integer> peers = Stream.concat(Stream.of(parcel.owner().vmid()),
                parcel.acl().stream().map(AclEntry::vmid)).filter(id -> id != vm.vmid).distinct().toList();
        List<String> compatible = vm.configured().vdevices().stream()
                .filter(d -> d instanceof SharedMemoryDevice memory && memory.parcelLabel() == parcel.label())
                .findFirst().map(d -> d.head().pushCompatible()).orElse(List.of());
        buffers.put(parcel.label(),
                overlay.buffer(parcels.places(parcel), parcel.handle(), parcel.label(), peers, compatible));
    }

    private void device(Seated seated) {
        List<Bell> ends = seated.ends().stream().map(GuestDevices::bell).toList();
        switch (seated.node()) {
            case DoorbellDevice bell -> nodes.doorbell(bell, ends.getFirst());
            case QueueDevice queue -> nodes.queue(queue, ends.getFirst());
            case QueuePairDevice pair -> {
                boolean sendsFirst = seated.ends().getFirst().side == Channel.Side.SOURCE;
                nodes.queuePair(pair, ends.get(sendsFirst ? 0 : 1), ends.get(sendsFirst ? 1 : 0), seated.peerVmid());
            }
            case SharedMemoryDevice memory -> {
                boolean ringsFirst = ends.isEmpty() || seated.ends().getFirst().side == Channel.Side.SOURCE;
                nodes.sharedMemory(memory, buffer(memory.parcelLabel()), ringsFirst ? ends : ends.reversed(),
                        seated.peerVmid());
            }
            case RpcDevice rpc -> { }
            case IoMemoryDevice memory -> { }
            case VirtioDevice virtio -> { }
        }
    }

    private static Bell bell(End end) {
        return new Bell(end.cap, end.virq);
    }
}
