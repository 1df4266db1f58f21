package gunyah.rm.rpc;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Life of a VM as the Resource Manager sees and reports it (vm_mgnt.h {@code vm_state_t}): values on the wire, and
 * the edges of its graph.
 */
public enum VmState {
    NONE(0), INIT(1), READY(2), RUNNING(3), PAUSED(4), LOAD(5), AUTH(6), INIT_FAILED(8), EXITED(9), RESETTING(10),
    RESET(11);

    private static final Map<VmState, Set<VmState>> ALLOWED_FROM = new EnumMap<>(Map.of(
            NONE, EnumSet.of(LOAD, RESET),
            LOAD, EnumSet.of(NONE),
            AUTH, EnumSet.of(LOAD, RESET),
            INIT, EnumSet.of(LOAD, AUTH, RESET),
            READY, EnumSet.of(INIT),
            RUNNING, EnumSet.of(READY, PAUSED),
            PAUSED, EnumSet.of(RUNNING),
            INIT_FAILED, EnumSet.of(LOAD, AUTH, INIT, READY, RESET),
            EXITED, EnumSet.of(RUNNING, PAUSED),
            RESETTING, EnumSet.of(EXITED, READY, INIT_FAILED)));

    static {
        ALLOWED_FROM.put(RESET, EnumSet.of(RESETTING));
    }

    private final int value;

    VmState(int value) {
        this.value = value;
    }

    /** {@return the byte on the wire} */
    public int value() {
        return value;
    }

    /** {@return whether a VM in this state may become {@code next}} */
    public boolean mayBecome(VmState next) {
        return ALLOWED_FROM.get(next).contains(this);
    }

    /** {@return the state of this byte; NONE for a byte without a state} */
    public static VmState of(int value) {
        for (VmState state : values()) {
            if (state.value == value) {
                return state;
            }
        }
        return NONE;
    }
}
