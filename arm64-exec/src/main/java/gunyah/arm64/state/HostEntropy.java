package gunyah.arm64.state;

import java.security.SecureRandom;

/** Where {@link CpuPort#random} gets its bits from unless the owner says otherwise. Any thread. */
final class HostEntropy {
    static final SecureRandom SOURCE = new SecureRandom();

    private HostEntropy() {
    }
}
