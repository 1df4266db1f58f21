package gunyah.hyp.vcpu;

import java.util.ArrayList;
import java.util.List;

/** Reasons why a vCPU does not run, as bits (Gunyah scheduler_block). It is runnable when none is set. */
enum Block {
    /** Powered off (vcpu_off). */
    OFF,
    /** PSCI CPU_SUSPEND (vcpu_suspend). */
    SUSPEND,
    /** WFI without a pending interrupt (vcpu_wfi). */
    WFI,
    /** Halted for good after a fault (vcpu_fault). */
    FAULT,
    /** Proxy scheduled and nobody runs it (vcpu_run). Not lifted by a kill. */
    VCPU_RUN,
    /** A VMMIO access waits for the proxy's answer (addrspace_vmmio_access). */
    VMMIO,
    /** A page fault waits for the proxy (addrspace_fault_access). */
    PAGE_FAULT,
    /** Moves to another physical CPU (affinity_changed). Not lifted by a kill. */
    AFFINITY,
    /** Ended (thread_lifecycle). Never lifted. */
    EXITED;

    /** Blocks that hold a killed thread too. */
    static final int UNKILLABLE = VCPU_RUN.bit() | AFFINITY.bit() | EXITED.bit();

    int bit() {
        return 1 << ordinal();
    }

    boolean in(int bits) {
        return (bits & bit()) != 0;
    }

    static List<String> names(int bits) {
        List<String> names = new ArrayList<>();
        for (Block block : values()) {
            if (block.in(bits)) {
                names.add(block.name().toLowerCase(java.util.Locale.ROOT));
            }
        }
        return names;
    }
}
