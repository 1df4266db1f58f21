package gunyah.vmm.uapi;

import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.GunyahError;
import gunyah.vmm.driver.Uapi;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Who answers ADD_FUNCTION for which type. The driver's own types are there from the start; a library user may add types
 * or replace any. Thread safe.
 */
public final class FunctionProviders {
    private final ConcurrentHashMap<Integer, FunctionProvider> providers = new ConcurrentHashMap<>();

    /** The driver's own. */
    public FunctionProviders() {
        register(Uapi.FN_VCPU, new VcpuFunction());
        register(Uapi.FN_IRQFD, new IrqFdFunction());
        register(Uapi.FN_IOEVENTFD, new IoEventFdFunction());
    }

    /**
     * Registers a provider, in place of an earlier one of that type.
     *
     * @throws GunyahError EINVAL without one
     */
    public void register(int type, FunctionProvider provider) {
        if (provider == null) {
            throw new GunyahError(Errno.EINVAL, "no provider for functions of type " + type);
        }
        providers.put(type, provider);
    }

    FunctionProvider of(int type) {
        FunctionProvider provider = providers.get(type);
        if (provider == null) {
            throw new GunyahError(Errno.ENOENT, "no function of type " + type);
        }
        return provider;
    }
}
