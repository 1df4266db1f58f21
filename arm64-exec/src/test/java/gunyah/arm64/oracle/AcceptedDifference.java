package gunyah.arm64.oracle;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where QEMU 7.2 and we differ on purpose, and who is right by the manual (Arm ARM DDI 0487). A difference is accepted
 * when the row's name matches and the syndromes are as named; nothing else of the state is looked at then.
 */
enum AcceptedDifference {
    EXCLUSIVE_STORE_CHECKS_FIRST("STL?X[RP].*", true,
            "Without a matching monitor QEMU stores nothing and does not look at the address. The alignment check comes "
                    + "first (AArch64.ExclusiveMonitorsPass); whether other aborts do is IMPLEMENTATION DEFINED (B2.12)."),
    HALF_FIXED_POINT_IS_16_BITS("FCVTZS_fix_s_h", false,
            "QEMU 7.2 leaves the sign of a negative result in bits 31:16 of Vd. The result is 16 bits, the rest of Vd is "
                    + "zero (C7.2, FCVTZS (vector, fixed-point)). Only bits 15:0 are compared."),
    ACQUIRE_LOAD_MUST_BE_ALIGNED("LDAPR[BH_].*", true,
            "QEMU 7.2 lets an unaligned LDAPR pass. Without FEAT_LSE2 it is an alignment fault (B2.8.2).");

    private final String rows;
    private final boolean weFault;
    private final String reason;

    AcceptedDifference(String rows, boolean weFault, String reason) {
        this.rows = rows;
        this.weFault = weFault;
        this.reason = reason;
    }

    /** {@return the entry that explains why the two do not raise the same} */
    static Optional<AcceptedDifference> of(Case c, boolean weFault) {
        return Stream.of(values()).filter(entry -> entry.weFault == weFault
                && c.row().name().matches(entry.rows)).findFirst();
    }

    /** {@return which rows, as a pattern of names} */
    String rows() {
        return rows;
    }

    /** {@return who is right and why} */
    String reason() {
        return reason;
    }
}
