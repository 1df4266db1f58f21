package gunyah.hyp;

/**
 * The services a guest calls by the SMC calling convention besides hypercalls (Arm DEN0028, DEN0022, DEN0098; Gunyah
 * hyp/vm/smccc, hyp/vm/psci, hyp/platform/arm_trng_fi). What is not here answers -1. Inputs stand in X1 and up, of an
 * SMC32 call their low 32 bits; its results are 32 bits, zero extended.
 */
public enum SmcccFunction {
    SMCCC_VERSION(Service.ARCH, 0x8000_0000, false, "", "0x10003: 1.3"),
    SMCCC_ARCH_FEATURES(Service.ARCH, 0x8000_0001, false, "function",
            "0 for functions of the Arm architecture and standard hypervisor services; else -1"),
    PSCI_VERSION(Service.PSCI, 0x8400_0000, false, "", "0x10001: 1.1"),
    CPU_SUSPEND(Service.PSCI, 0x8400_0001, true, "power_state, entry, context",
            "0; after a power-down state the vCPU begins at the entry"),
    CPU_OFF(Service.PSCI, 0x8400_0002, false, "", "none; -3 for the last of a group that aggregates"),
    CPU_ON(Service.PSCI, 0x8400_0003, true, "mpidr, entry, context",
            "0; -4 is on, -2 no such CPU, -6 CPU without a vCPU or one that ends"),
    AFFINITY_INFO(Service.PSCI, 0x8400_0004, true, "mpidr, level", "0 on, 1 off; -2 no such CPU or level"),
    SYSTEM_OFF(Service.PSCI, 0x8400_0008, false, "", "none"),
    SYSTEM_RESET(Service.PSCI, 0x8400_0009, false, "", "none"),
    PSCI_FEATURES(Service.PSCI, 0x8400_000A, false, "function",
            "0 for PSCI functions and SMCCC_VERSION, 2 for CPU_SUSPEND; else -1"),
    CPU_DEFAULT_SUSPEND(Service.PSCI, 0x8400_000C, true, "entry, context", "as CPU_SUSPEND, the deepest state"),
    PSCI_SET_SUSPEND_MODE(Service.PSCI, 0x8400_000F, false, "mode", "0 for mode 0 (platform coordinated); else -2"),
    SYSTEM_RESET2(Service.PSCI, 0x8400_0012, true, "type, cookie", "none; the owner of the VM sees both"),
    TRNG_VERSION(Service.TRNG, 0x8400_0050, false, "", "0x10000: 1.0"),
    TRNG_FEATURES(Service.TRNG, 0x8400_0051, false, "function", "0 for TRNG functions; else -1"),
    TRNG_RND(Service.TRNG, 0x8400_0053, true, "bits",
            "0 and up to 96 (SMC64: 192) bits, X3 the lowest, then X2, X1; -2 for another number"),
    STANDARD_HYP_CALL_UID(Service.STANDARD_HYP, 0x8500_FF01, false, "", "X0 to X3: Gunyah's UUID"),
    STANDARD_HYP_REVISION(Service.STANDARD_HYP, 0x8500_FF03, false, "", "X0 = 1, X1 = 0"),
    VENDOR_HYP_CALL_UID(Service.VENDOR_HYP, 0x8600_FF01, false, "", "X0 to X3: Gunyah's UUID"),
    VENDOR_HYP_REVISION(Service.VENDOR_HYP, 0x8600_FF03, false, "", "X0 of hypervisor_identify");

    /** Who defines a function. */
    public enum Service { ARCH, PSCI, TRNG, STANDARD_HYP, VENDOR_HYP }

    private static final int SMC64 = 1 << 30;
    private static final SmcccFunction[] ALL = values();

    private final Service service;
    private final int id;
    private final boolean wide;
    private final String inputs;
    private final String results;

    SmcccFunction(Service service, int id, boolean wide, String inputs, String results) {
        this.service = service;
        this.id = id;
        this.wide = wide;
        this.inputs = inputs;
        this.results = results;
    }

    /** {@return the function of an id without its SVE hint, or null} */
    public static SmcccFunction of(int id) {
        for (SmcccFunction function : ALL) {
            if (function.id == id || function.wide && (function.id | SMC64) == id) {
                return function;
            }
        }
        return null;
    }

    public Service service() {
        return service;
    }

    /** {@return the id of the SMC32 form} */
    public int id() {
        return id;
    }

    /** {@return whether there is an SMC64 form, whose id has bit 30} */
    public boolean hasWideForm() {
        return wide;
    }

    /** {@return names of the inputs, for the documentation} */
    public String inputs() {
        return inputs;
    }

    /** {@return X0 and what else comes back, for the documentation} */
    public String results() {
        return results;
    }
}
