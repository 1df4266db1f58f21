package gunyah.arm64.sysreg;

import gunyah.memory.Stage2Table;
import java.util.function.Predicate;

/**
 * The identity a guest reads: which CPU this is and what it can do (Arm ARM DDI 0487, D17.2; values of Gunyah
 * hyp/vm/vcpu/aarch64/src/sysreg_traps.c for vCPUs that are not pinned to a physical CPU). Only what exists is
 * announced. Immutable.
 */
public final class IdRegisters {
    /** Implementer 0, part 0x048: no real part, so no kernel applies an erratum workaround. */
    static final long MIDR = 0x000F_0480;
    /** Separate level-1 caches only; LoC 1, LoUIS and LoUU 0. */
    static final long CLIDR = 0x0100_0003;
    /** 32 KiB, 4 ways, 64-byte lines. */
    static final long CCSIDR = 127 << 13 | 3 << 3 | 2;
    /** 64-byte lines and granules, PIPT, IDC 1; DIC 0, because IC IVAU is how decoded code learns of a change. */
    static final long CTR = 0x9444_C004L;

    private static final int PA_RANGE_36 = 1;

    private final long[] values = new long[64];

    /**
     * @param has whether the CPU has a feature, by its architectural name, e.g. {@code FEAT_LSE}
     */
    public IdRegisters(Predicate<String> has) {
        // ID_AA64PFR0_EL1: EL0 and EL1 AArch64 only, FP and AdvSIMD, GIC registers
        long fp = has.test("FEAT_FP16") ? 1 : 0;
        set(4, 0, 0x1 | 0x1 << 4 | fp << 16 | fp << 20 | 1L << 24 | field(has, 48, "FEAT_DIT")
                | field(has, 56, "FEAT_CSV2") | field(has, 60, "FEAT_CSV3"));
        // ID_AA64PFR1_EL1: branch targets, SSBS with MRS and MSR
        set(4, 1, field(has, 0, "FEAT_BTI") | (has.test("FEAT_SSBS") ? 2 << 4 : 0));
        // ID_AA64DFR0_EL1: Armv8 debug, PMUv3
        set(5, 0, 6 | 1 << 8 | SelfHostedDebug.BREAKPOINTS - 1 << 12 | SelfHostedDebug.WATCHPOINTS - 1 << 20
                | SelfHostedDebug.CONTEXT_AWARE - 1 << 28);
        set(6, 0, isar0(has));
        set(6, 1, isar1(has));
        // ID_AA64MMFR0_EL1: 36-bit PA, 16-bit ASID, 4 KiB granule, the others as an option, self-synchronized counters
        set(7, 0, PA_RANGE_36 | 2 << 4 | (has.test("FEAT_Granules") ? 1 << 20 : 0xF << 24)
                | field(has, 60, "FEAT_ECV"));
        // ID_AA64MMFR1_EL1: access flag and dirty state by hardware, HPDS, PAN with its AT, XN of stage 2 by EL
        set(7, 1, field(has, 0, "FEAT_HAFDBS") << 1 | field(has, 12, "FEAT_HPDS") | field(has, 20, "FEAT_PAN") << 1
                | field(has, 28, "FEAT_XNX"));
        // ID_AA64MMFR2_EL1: CnP, UAO, small tables; not LSE2, whose LDP would be one access of 16 bytes
        set(7, 2, field(has, 0, "FEAT_TTCNP") | field(has, 4, "FEAT_UAO") | field(has, 28, "FEAT_TTST"));
        assert Stage2Table.IPA_BITS == 36;
    }

    private static long isar0(Predicate<String> has) {
        return field(has, 4, "FEAT_AES", "FEAT_PMULL") | field(has, 8, "FEAT_SHA1")
                | field(has, 12, "FEAT_SHA256", "FEAT_SHA512") | field(has, 16, "FEAT_CRC32")
                | field(has, 20, "FEAT_LSE") << 1 | field(has, 28, "FEAT_RDM") | field(has, 32, "FEAT_SHA3")
                | field(has, 44, "FEAT_DotProd")
                | field(has, 48, "FEAT_FHM") | field(has, 52, "FEAT_FlagM", "FEAT_FlagM2")
                | field(has, 56, "FEAT_TLBIOS", "FEAT_TLBIRANGE") | field(has, 60, "FEAT_RNG");
    }

    private static long isar1(Predicate<String> has) {
        // the pointer authentication algorithm is IMPLEMENTATION DEFINED, for addresses and generic codes
        return field(has, 8, "FEAT_PAuth") | field(has, 28, "FEAT_PAuth") | field(has, 0, "FEAT_DPB", "FEAT_DPB2")
                | field(has, 12, "FEAT_JSCVT") | field(has, 16, "FEAT_FCMA")
                | field(has, 20, "FEAT_LRCPC", "FEAT_LRCPC2") | field(has, 32, "FEAT_FRINTTS")
                | field(has, 36, "FEAT_SB") | field(has, 44, "FEAT_BF16") | field(has, 52, "FEAT_I8MM");
    }

    /** {@return the count of leading features of the list that exist, as a field at {@code shift}} */
    private static long field(Predicate<String> has, int shift, String... features) {
        long level = 0;
        while (level < features.length && has.test(features[(int) level])) {
            level++;
        }
        return level << shift;
    }

    private void set(int crm, int op2, long value) {
        values[crm << 3 | op2] = value;
    }

    /** {@return whether the ID register field at {@code shift} is not zero} */
    boolean has(int crm, int op2, int shift) {
        return (read(crm, op2) >>> shift & 15) != 0;
    }

    /** {@return register op0=3, op1=0, CRn=0, {@code crm}, {@code op2}; zero for everything unallocated} */
    public long read(int crm, int op2) {
        return values[crm << 3 | op2];
    }

    /** {@return the register of that number, {@code CRm << 3 | op2}} */
    long read(int index) {
        return values[index];
    }
}
