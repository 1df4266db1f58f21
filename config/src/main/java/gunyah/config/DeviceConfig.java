package gunyah.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The devices of a guest beside interrupt controller, timer and clock.
 *
 * @param disks   in the order the guest finds them
 * @param nets    network cards
 * @param rng     whether there is a source of entropy
 * @param serial  what the console is
 * @param shares  folders of this computer, which the guest mounts as share0, share1, ...
 * @param vsock   sockets between guest and this computer, if any
 * @param balloon bytes that the guest is to give back by its balloon at first; absent: it has none
 */
public record DeviceConfig(List<DiskConfig> disks, List<NetConfig> nets, boolean rng, Serial serial,
        List<Path> shares, Optional<VsockConfig> vsock, OptionalLong balloon) {
    public static final DeviceConfig NONE = new DeviceConfig(List.of(), List.of());

    public DeviceConfig {
        disks = List.copyOf(disks);
        nets = List.copyOf(nets);
        shares = List.copyOf(shares);
    }

    /** Disks and network cards, and nothing else. */
    public DeviceConfig(List<DiskConfig> disks, List<NetConfig> nets) {
        this(disks, nets, false, Serial.PL011, List.of(), Optional.empty(), OptionalLong.empty());
    }

    /** {@return the same devices and these sockets} */
    public DeviceConfig with(VsockConfig sockets) {
        return new DeviceConfig(disks, nets, rng, serial, shares, Optional.of(sockets), balloon);
    }

    /** {@return the same devices and a balloon that gives back so many bytes} */
    public DeviceConfig withBalloon(long bytes) {
        return new DeviceConfig(disks, nets, rng, serial, shares, vsock, OptionalLong.of(bytes));
    }

    /** {@return how many of them are virtio devices} */
    public int virtioCount() {
        return disks.size() + nets.size() + shares.size() + (rng ? 1 : 0) + (serial == Serial.VIRTIO ? 1 : 0)
                + (vsock.isPresent() ? 1 : 0) + (balloon.isPresent() ? 1 : 0);
    }
}
