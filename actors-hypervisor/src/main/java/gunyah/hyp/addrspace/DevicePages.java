package gunyah.hyp.addrspace;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Frames that hold the registers of a device of the hypervisor (Gunyah hyp/core/vdevice, attachment by physical
 * address). Who has such a frame mapped reads it as memory; a store without the right to write is the device's. One for
 * a machine; any thread.
 */
public final class DevicePages {
    private final ConcurrentHashMap<Long, MmioDevice> devices = new ConcurrentHashMap<>();

    /** Puts a device behind the frame at {@code pa}. {@return false when it has one} */
    public boolean attach(long pa, MmioDevice device) {
        return devices.putIfAbsent(pa, device) == null;
    }

    /** Takes the device away. */
    public void detach(long pa, MmioDevice device) {
        devices.remove(pa, device);
    }

    /** {@return the device behind the frame, or null} */
    MmioDevice at(long pa) {
        return devices.isEmpty() ? null : devices.get(pa);
    }
}
