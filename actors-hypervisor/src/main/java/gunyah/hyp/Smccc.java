package gunyah.hyp;

import gunyah.hyp.SmcccFunction.Service;
import java.util.random.RandomGenerator;

/**
 * The SMCCC dispatcher: {@code HVC #0} and {@code SMC #0} of every VM (Arm DEN0028, DEN0098 TRNG; Gunyah
 * hyp/vm/smccc, hyp/platform/arm_trng_fi). Whatever nobody handles answers -1 in X0 and is never an exception. Any
 * thread.
 */
public final class Smccc {
    /** Function id of hypercall {@code n} is {@code HYPERCALL | n}. */
    public static final int HYPERCALL = 0xC600_8000;

    private static final int SMC64 = 1 << 30;
    private static final int SVE_HINT = 1 << 16;
    private static final int MUST_BE_ZERO = 0x7F << 17;
    private static final int NUMBER = 0x3FFF;

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
        boolean handled = (function & MUST_BE_ZERO) == 0 && (isHypercall(function)
                ? table.callShifted(caller, function & NUMBER, x) : service(caller, function, x));
        if (!handled) {
            x[0] = -1;
        }
        return handled;
    }

    private static boolean isHypercall(int function) {
        return (function & ~NUMBER) == HYPERCALL;
    }

    private boolean service(Caller caller, int id, long[] x) {
        SmcccFunction function = SmcccFunction.of(id);
        if (function == null) {
            return false;
        }
        switch (function) {
            case SMCCC_VERSION -> x[0] = SMCCC_1_3;
            case SMCCC_ARCH_FEATURES -> x[0] = known((int) x[1], Service.ARCH, Service.STANDARD_HYP);
            case TRNG_VERSION -> setResults(x, TRNG_1_0, 0, 0, 0);
            case TRNG_FEATURES -> x[0] = known((int) x[1], Service.TRNG, Service.TRNG);
            case TRNG_RND -> random(x, (id & SMC64) != 0);
            case STANDARD_HYP_CALL_UID, VENDOR_HYP_CALL_UID -> System.arraycopy(GUNYAH_UID, 0, x, 0, 4);
            case STANDARD_HYP_REVISION -> {
                x[0] = 1;
                x[1] = 0;
            }
            case VENDOR_HYP_REVISION -> x[0] = IdentifyCalls.API_INFO;
            default -> {
                return psci.call(caller, id, x);
            }
        }
        return true;
    }

    private static long known(int id, Service one, Service other) {
        SmcccFunction function = SmcccFunction.of(id);
        return function != null && (function.service() == one || function.service() == other) ? 0 : NOT_SUPPORTED_32;
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
