package gunyah.arm64;

import gunyah.arm64.state.CpuFeatures;

/**
 * What makes one vCPU different from another.
 *
 * @param mpidr    MPIDR_EL1, affinity fields and bit 31 included
 * @param features the optional features decoder and ID registers agree on
 */
public record CpuConfig(long mpidr, CpuFeatures features) {
    /** A CPU with the default features. {@code affinity} is in MPIDR layout (Aff0 in bits 7:0). */
    public static CpuConfig of(long affinity) {
        return new CpuConfig(1L << 31 | affinity, CpuFeatures.DEFAULT);
    }
}
