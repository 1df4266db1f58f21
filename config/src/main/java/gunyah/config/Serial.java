package gunyah.config;

import java.util.Arrays;
import java.util.Locale;

/** The device behind a guest's console. */
public enum Serial {
    /** Arm's PL011: ttyAMA0. */
    PL011,
    /** The PC's serial port, in the PL011's place: ttyS0. */
    NS16550A,
    /** A virtio console: hvc0. The PL011 stays there for early messages. */
    VIRTIO;

    static Serial parse(String text) {
        return Arrays.stream(values()).filter(s -> s.name().toLowerCase(Locale.ROOT).equals(text)).findFirst()
                .orElseThrow(() -> new BadInput("must be pl011, ns16550a or virtio, not '%s'".formatted(text)));
    }
}
