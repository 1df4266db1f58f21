package gunyah.hyp;

import java.util.random.RandomGenerator;

/**
 * The SMCCC dispatcher: {@code HVC #0} and {@code SMC #0} of every VM (Arm DEN0028, DEN0098 TRNG; Gunyah
 * hyp/vm/smccc, hyp/platform/arm_trng_fi). Whatever nobody handles answers -1 in X0 and is never an exception. Any
 * thread.
 */
public final class Smccc {
    /** Function id of hypercall {@code n} is {@code HYPERCALL | n}. */
    public static final int HYPERCALL = 0xC600_8000;

    private static final int FAST = 1 << 31;
    private static final int SMC64 = 1 << 30;
    private static final int SVE_HINT = 1 << 16;
    private static final int MUST_BE_ZERO = 0x7F << 17;
    private static final int OWNER_ARCH = 0;
    private static final int OWNER_STANDARD = 4;
    private static final int OWNER_STANDARD_HYP = 5;
    private static final int OWNER_VENDOR_HYP = 6;
    private static final int CLASS_HYPERCALL = 2;
    private static final int CLASS_SERVICE = 3;

    private static final int VERSION = 0x8000_0000;
    private static final int ARCH_FEATURES = 0x8000_0001;
    private static final int STANDARD_HYP_CALL_UID = 0x8500_FF01;
    private static final int STANDARD_HYP_REVISION = 0x8500_FF03;
    private static final int VENDOR_CALL_UID = 0x8600_FF01;
    private static final int VENDOR_REVISION = 0x8600_FF03;
    private static final int TRNG_VERSION = 0x8400_0050;
    private static final int TRNG_FEATURES = 0x8400_0051;
    private static final int TRNG_GET_UUID = 0x8400_0052;
    private static final int TRNG_RND = 0x8400_0053;

    private static final long[] GUNYAH_UID = {0xcd8f_d5c1L, 0xdb5f_53a4L, 0x36ce_6592L, 0x145f_3d67L};
    private static final long SMCCC_1_3 = 0x1_0003;
    private static final long TRNG_1_0 = 0x1_0000;
    private static final long INVALID_PARAMETERS = -2;
    /** A handled 32-bit call zero extends its answer, unlike one that nobody handles. */
    private static final long NOT_SUPPORTED_32 = 0xFFFF_FFFFL;

    private final HypercallTable table;
    private final PsciHandler psci;
    private final RandomGenerator entropy;

    /** @param entropy thread-safe source behind TRNG_RND */
    public Smccc(HypercallTable table, PsciHandler psci, RandomGenerator entropy) {
        this.table = table;
        this.psci = psci;
        this.entropy = entropy;
    }

    /**
     * Handles one call.
     *
     * @param x at least eight registers, function id in the low word of {@code x[0]}
     * @return whether somebody handled it; if not X0 is -1 and the rest kept
     */
    public boolean call(Caller caller, long[] x) {
        int function = (int) x[0] & ~SVE_HINT;
        boolean handled = (function & MUST_BE_ZERO) == 0 && switch (function >>> 24 & 0x3F) {
            case OWNER_VENDOR_HYP -> vendorHyp(caller, function, x);
            case OWNER_STANDARD -> standard(caller, function, x);
            case OWNER_ARCH -> arch(function, x);
            case OWNER_STANDARD_HYP -> standardHyp(function, x);
            default -> false;
        };
        if (!handled) {
            x[0] = -1;
        }
        return handled;
    }

    private boolean vendorHyp(Caller caller, int function, long[] x) {
        boolean fast = (function & FAST) != 0;
        boolean wide = (function & SMC64) != 0;
        return switch (function >>> 14 & 3) {
            case CLASS_HYPERCALL -> fast && wide && table.callShifted(caller, function & 0x3FFF, x);
            case CLASS_SERVICE -> fast && !wide && service(function, x);
            default -> false;
        };
    }

    private static boolean service(int function, long[] x) {
        switch (function) {
            case VENDOR_CALL_UID -> System.arraycopy(GUNYAH_UID, 0, x, 0, 4);
            case VENDOR_REVISION -> x[0] = IdentifyCalls.API_INFO;
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean standardHyp(int function, long[] x) {
        switch (function) {
            case STANDARD_HYP_CALL_UID -> System.arraycopy(GUNYAH_UID, 0, x, 0, 4);
            case STANDARD_HYP_REVISION -> {
                x[0] = 1;
                x[1] = 0;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean arch(int function, long[] x) {
        switch (function) {
            case VERSION -> x[0] = SMCCC_1_3;
            case ARCH_FEATURES -> x[0] = switch ((int) x[1]) {
                case VERSION, ARCH_FEATURES, STANDARD_HYP_CALL_UID, STANDARD_HYP_REVISION -> 0;
                default -> NOT_SUPPORTED_32;
            };
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean standard(Caller caller, int function, long[] x) {
        int number = function & 0xFFFF;
        if (number < 0x20) {
            return psci.call(caller, function, x);
        }
        boolean wide = (function & SMC64) != 0;
        switch (function & ~SMC64) {
            case TRNG_VERSION -> {
                if (wide) {
                    return false;
                }
                setResults(x, TRNG_1_0, 0, 0, 0);
            }
            case TRNG_FEATURES -> {
                if (wide) {
                    return false;
                }
                x[0] = switch ((int) x[1]) {
                    case TRNG_VERSION, TRNG_FEATURES, TRNG_RND, TRNG_RND | SMC64 -> 0;
                    default -> NOT_SUPPORTED_32;
                };
            }
            case TRNG_GET_UUID -> {
                // the random source is the host's and has no identity
                return false;
            }
            case TRNG_RND -> random(x, wide);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Fills from the right: X3 has the lowest bits, unused high bits are zero. */
    private void random(long[] x, boolean wide) {
        int word = wide ? 64 : 32;
        long bits = wide ? x[1] : x[1] & 0xFFFF_FFFFL;
        if (bits <= 0 || bits > 3L * word) {
            setResults(x, wide ? INVALID_PARAMETERS : INVALID_PARAMETERS & 0xFFFF_FFFFL, 0, 0, 0);
            return;
        }
        for (int register = 3; register >= 1; register--) {
            long left = bits - (long) (3 - register) * word;
            long value = left <= 0 ? 0 : entropy.nextLong();
            int width = (int) Math.min(word, Math.max(left, 0));
            x[register] = width == 64 ? value : value & (1L << width) - 1;
        }
        x[0] = 0;
    }

    private static void setResults(long[] x, long x0, long x1, long x2, long x3) {
        x[0] = x0;
        x[1] = x1;
        x[2] = x2;
        x[3] = x3;
    }
}
