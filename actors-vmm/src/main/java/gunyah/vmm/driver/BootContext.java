package gunyah.vmm.driver;

import java.util.Map;
import java.util.TreeMap;

/**
 * Registers of the boot vCPU the client chose (v17 30/35): the last value of each, in ascending order of register word,
 * so X before PC before SP. Guarded by its VM.
 */
final class BootContext {
    private static final int MAX_X = 31;
    private static final int MAX_SP = 2;

    private final Map<Integer, Long> registers = new TreeMap<>();

    /** {@return EINVAL for a register that does not exist} */
    Errno set(int register, long value) {
        int index = register & 0xff;
        int most = switch (register >>> 8) {
            case Uapi.REG_SET_X -> MAX_X;
            case Uapi.REG_SET_PC -> 0;
            case Uapi.REG_SET_SP -> MAX_SP;
            default -> -1;
        };
        if (index > most) {
            return Errno.EINVAL;
        }
        registers.put(register, value);
        return Errno.OK;
    }

    Map<Integer, Long> registers() {
        return new TreeMap<>(registers);
    }
}
