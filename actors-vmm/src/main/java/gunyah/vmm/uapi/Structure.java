package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A little-endian structure of the interface. */
final class Structure {
    private Structure() {
    }

    static ByteBuffer of(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The structure, if it has exactly that size. @throws GunyahError EINVAL */
    static ByteBuffer of(byte[] bytes, int size, String name) {
        if (bytes.length != size) {
            throw new GunyahError(Errno.EINVAL, "%s of %d bytes, not %d".formatted(name, bytes.length, size));
        }
        return of(bytes);
    }
}
