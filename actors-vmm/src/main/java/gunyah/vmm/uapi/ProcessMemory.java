package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.HostMapping;
import java.util.Map;
import java.util.TreeMap;

/**
 * Memory that a process mapped for itself and can give to VMs (mmap(2), MAP_SHARED, MAP_ANONYMOUS and MAP_FIXED). What a
 * VM was given stays until the VM is gone, whatever the process unmaps. Thread safe.
 */
final class ProcessMemory {
    private static final long PAGE_SIZE = 4096;

    /** Where memory begins that was mapped, and its pages. */
    record Part(GuestMemoryFile pages, long offset) {
    }

    private final GunyahDevice device;
    /** By address. */
    private final TreeMap<Long, GuestMemoryFile> areas = new TreeMap<>();

    ProcessMemory(GunyahDevice device) {
        this.device = device;
    }

    /** @throws GunyahError EINVAL unaligned, negative or empty, EEXIST where something is mapped */
    synchronized HostMapping map(long address, long length) {
        if (address < 0 || length <= 0 || address > Long.MAX_VALUE - length || address % PAGE_SIZE != 0) {
            throw new GunyahError(Errno.EINVAL, "memory at 0x%x+0x%x".formatted(address, length));
        }
        Map.Entry<Long, GuestMemoryFile> before = areas.lowerEntry(address + length);
        if (before != null && before.getKey() + before.getValue().size() > address) {
            throw new GunyahError(Errno.EEXIST, "memory at 0x%x+0x%x is mapped".formatted(address, length));
        }
        GuestMemoryFile pages = device.createGuestMemory(length, 0);
        areas.put(address, pages);
        return pages.view();
    }

    /** Unmaps what was mapped at that address. @throws GunyahError EINVAL when nothing was */
    synchronized void unmap(long address) {
        GuestMemoryFile pages = areas.remove(address);
        if (pages == null) {
            throw new GunyahError(Errno.EINVAL, "nothing is mapped at 0x%x".formatted(address));
        }
        pages.close();
    }

    /** {@return what lies there} @throws GunyahError EFAULT unless all of it is one mapping */
    synchronized Part find(long address, long length) {
        Map.Entry<Long, GuestMemoryFile> area = areas.floorEntry(address);
        if (area == null || length > area.getValue().size() - (address - area.getKey())) {
            throw new GunyahError(Errno.EFAULT, "0x%x+0x%x is not the process's".formatted(address, length));
        }
        return new Part(area.getValue(), address - area.getKey());
    }

    synchronized void close() {
        areas.values().forEach(GuestMemoryFile::close);
        areas.clear();
    }
}
