package gunyah.vmm;

import gunyah.config.MemoryConfig;
import gunyah.config.VmConfig;
import gunyah.vmm.balloon.GuestPages;
import gunyah.vmm.boot.BootPlan;
import gunyah.vmm.boot.GuestImage;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.Uapi;
import gunyah.vmm.virtio.GuestMemory;
import gunyah.vmm.virtio.MappedMemory;
import gunyah.vmm.virtio.SplitMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * The RAM of one VM: a guest memory file, lent to it or shared with it. Of shared RAM the host keeps all mapped but the
 * device tree, which the Resource Manager takes no other way than lent. Made and closed by {@link RunningVm}.
 */
final class GuestRam implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final byte[] ZERO = new byte[1];

    private final MemoryConfig config;
    private final Ram ram;
    private final Ram lent;
    private final GuestMemoryFile file;
    private final List<HostMapping> mappings = new ArrayList<>();
    private final List<Ram> pieces = new ArrayList<>();

    private GuestRam(GunyahDevice device, VmConfig vm, Ram lent) {
        this.config = vm.memory();
        this.ram = new Ram(GuestLayout.RAM_BASE, vm.memoryBytes());
        this.lent = lent;
        file = device.createGuestMemory(ram.size(),
                Uapi.GUEST_MEM_CLOEXEC | (config.hugePages() ? Uapi.GUEST_MEM_ALLOW_HUGEPAGE : 0));
    }

    /** Takes it from the host and fills it. */
    static GuestRam load(GunyahDevice device, VmConfig vm, BootPlan plan) {
        GuestRam made = new GuestRam(device, vm, plan.lent());
        try {
            made.load(plan);
            if (!vm.memory().isProtected()) {
                made.share();
            }
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    private void load(BootPlan plan) {
        try (HostMapping mapping = file.map(0, ram.size())) {
            if (config.preallocated()) {
                for (long at = 0; at < ram.size(); at += PAGE) {
                    mapping.write(at, ZERO, 0, 1);
                }
            }
            for (GuestImage.Chunk chunk : plan.chunks()) {
                mapping.write(chunk.gpa() - ram.base(), chunk.data(), chunk.from(), chunk.size());
            }
        }
    }

    private void share() {
        share(new Ram(ram.base(), lent.base() - ram.base()));
        share(new Ram(lent.end(), ram.end() - lent.end()));
    }

    private void share(Ram piece) {
        if (piece.size() > 0) {
            mappings.add(file.map(piece.base() - ram.base(), piece.size()));
            pieces.add(piece);
        }
    }

    /** MAP_MEM of a VM that is not started. */
    void bind(GunyahVm vm) {
        vm.map(file, ram.base(), ram.size(), 0,
                (config.isProtected() ? Uapi.MEM_FORCE_LEND : Uapi.MEM_FORCE_SHARE) | Uapi.MEM_ALLOW_RWX);
    }

    /** The VM is started and no vCPU runs yet: gives it all of its RAM, if that was asked for. Blocks. */
    void populate(GunyahVm vm) {
        if (config.preallocated()) {
            vm.populate(ram.base(), ram.size());
        }
    }

    /** {@return shared RAM as one device sees it} */
    GuestMemory view() {
        List<MappedMemory> views = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            views.add(new MappedMemory(mappings.get(i), pieces.get(i).base(), pieces.get(i).size()));
        }
        return new SplitMemory(views);
    }

    /** {@return all of it, as the balloon of the VM of that name sees it} */
    GuestPages pages(String name) {
        return new BalloonedRam(name, ram, file);
    }

    /** Frees it; after the end of the VM and of its devices. */
    @Override
    public void close() {
        mappings.forEach(HostMapping::close);
        file.close();
    }
}
