package gunyah.config;

import java.util.List;

/**
 * The virtio devices of a guest.
 *
 * @param disks in the order the guest finds them
 * @param nets  network cards
 */
public record DeviceConfig(List<DiskConfig> disks, List<NetConfig> nets) {
    public static final DeviceConfig NONE = new DeviceConfig(List.of(), List.of());

    public DeviceConfig {
        disks = List.copyOf(disks);
        nets = List.copyOf(nets);
    }
}
