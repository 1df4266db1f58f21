package gunyah.arm64.state;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;

/**
 * The optional architecture features a CPU has: what the decoder accepts and what the ID registers advertise. Immutable
 * and shared by all CPUs of one kind. Source: Arm ARM DDI 0487, A2.
 */
public final class CpuFeatures {
    /** FEAT_ names, spelled as the manual does without the prefix. A name is here only when some row or register asks. */
    public enum Feature {
        LSE, CRC32, PAN, UAO, RDM, DotProd, LRCPC, LRCPC2, FlagM, FlagM2, DPB, DPB2, SB, SSBS, DIT, AES, PMULL, SHA1,
        SHA256, SHA512, SHA3, FP16, FHM, JSCVT, FCMA, FRINTTS, BF16, I8MM, PAuth, BTI, RNG,
        CSV2, CSV3, HPDS, HAFDBS, TTCNP, TTST, XNX, ECV, TLBIOS, TLBIRANGE,
        /** Translation granules of 16 and 64 KiB; the manual has no name for them together. */
        Granules
    }

    /** Armv8.0 without any option. */
    public static final CpuFeatures BASE = new CpuFeatures(EnumSet.noneOf(Feature.class));

    /** The default of every vCPU. */
    public static final CpuFeatures DEFAULT = new CpuFeatures(EnumSet.of(Feature.LSE, Feature.CRC32, Feature.PAN,
            Feature.UAO, Feature.LRCPC, Feature.LRCPC2, Feature.FlagM, Feature.FlagM2, Feature.DPB, Feature.DPB2,
            Feature.SB, Feature.SSBS, Feature.DIT, Feature.CSV2, Feature.CSV3, Feature.RDM, Feature.DotProd,
            Feature.AES, Feature.PMULL, Feature.SHA1, Feature.SHA256, Feature.SHA512, Feature.SHA3, Feature.FP16, Feature.FHM,
            Feature.JSCVT, Feature.FCMA, Feature.FRINTTS, Feature.BF16, Feature.I8MM, Feature.HPDS, Feature.HAFDBS,
            Feature.TTCNP, Feature.TTST, Feature.XNX, Feature.ECV, Feature.TLBIOS, Feature.TLBIRANGE, Feature.Granules));

    /** Everything a row or a register knows. */
    public static final CpuFeatures MAX = new CpuFeatures(EnumSet.allOf(Feature.class));

    private final Set<Feature> features;

    public CpuFeatures(Collection<Feature> features) {
        this.features = features.isEmpty() ? EnumSet.noneOf(Feature.class) : EnumSet.copyOf(features);
    }

    /** {@return whether the CPU has the feature} */
    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /**
     * {@return whether the CPU has the feature of this FEAT_ name, or all of several joined by {@code &}; the empty name
     * means Armv8.0}
     */
    public boolean has(String featName) {
        if (featName.isEmpty()) {
            return true;
        }
        int and = featName.indexOf('&');
        if (and >= 0) {
            return has(featName.substring(0, and)) && has(featName.substring(and + 1));
        }
        for (Feature feature : features) {
            if (featName.equals("FEAT_" + feature)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CpuFeatures that && features.equals(that.features);
    }

    @Override
    public int hashCode() {
        return features.hashCode();
    }

    @Override
    public String toString() {
        return features.toString();
    }
}
