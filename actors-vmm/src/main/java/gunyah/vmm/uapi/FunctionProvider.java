package gunyah.vmm.uapi;

import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.VmFunction;

/** Answers ADD_FUNCTION for one type (v17 13/35). Thread safe. */
public interface FunctionProvider {
    /**
     * What ADD_FUNCTION made.
     *
     * @param result   what ADD_FUNCTION returns: a descriptor or 0
     * @param function what REMOVE_FUNCTION and the end of the VM unbind; belongs to the VM already
     */
    record Bound(long result, VmFunction function) {
    }

    /**
     * Makes a function and gives it to the VM, as {@link GunyahVm#addFunction} does.
     *
     * @param argument the structure of ADD_FUNCTION, at most 256 bytes
     * @throws gunyah.vmm.driver.GunyahError what ADD_FUNCTION shall answer
     */
    Bound bind(GunyahFiles files, GunyahVm vm, byte[] argument);

    /** {@return whether REMOVE_FUNCTION with the argument {@code asked} means the function made from {@code argument}} */
    boolean isSame(byte[] argument, byte[] asked);
}
