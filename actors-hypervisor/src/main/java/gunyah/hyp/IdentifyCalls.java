package gunyah.hyp;

import static gunyah.hyp.HypercallArgument.RES0;
import static gunyah.hyp.HypercallArgument.VALUE;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Hypercalls without an object: hypervisor_identify (Gunyah hyp/interfaces/api), prng_get_entropy (hyp/misc/prng_hw)
 * and trace_update_class_flags (hyp/interfaces/trace).
 */
public final class IdentifyCalls {
    /** Version 1, 64 bit, little endian, variant Gunyah (0x48). */
    public static final long API_INFO = 0x4800_0000_0000_8001L;

    /** Partition, doorbell, msgqueue, vic, vpm, vcpu, memextent, virtio_mmio, prng, vcpu_run; scheduler fprr. */
    public static final long FLAGS0 = 0x1000_0E7FL;

    private static final int MAX_BYTES = 16;
    private static final int READS_PER_WINDOW = 4;
    private static final long WINDOW_NS = 33_000_000;

    private final RandomGenerator entropy;
    private final LongSupplier clockNs;
    // forgets a vCPU with its object; callers without one share the null key
    private final Map<ThreadObject, Budget> budgets = Collections.synchronizedMap(new WeakHashMap<>());

    /**
     * @param entropy thread-safe random source
     * @param clockNs monotonic time for the rate limit
     */
    public IdentifyCalls(RandomGenerator entropy, LongSupplier clockNs) {
        this.entropy = entropy;
        this.clockNs = clockNs;
    }

    /** {@return the rows} */
    public List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x00, "hypervisor_identify", 3, IdentifyCalls::identify)
                        .succeedingWith(API_INFO).outputs("flags0", "flags1", "flags2"),
                // production security state: the hypervisor's own trace is not a guest's to switch
                HypercallRow.of(0x3F, "trace_update_class_flags", 1, (caller, none, none2, x) -> HypError.DENIED,
                        VALUE, VALUE, RES0)
                        .inputs("set", "clear").outputs("flags")
                        .errors(HypError.DENIED),
                HypercallRow.of(0x57, "prng_get_entropy", 4, this::entropy, VALUE, RES0)
                        .inputs("num_bytes").outputs("data0", "data1", "data2", "data3")
                        .errors(HypError.ARGUMENT_SIZE, HypError.ARGUMENT_ALIGNMENT, HypError.BUSY));
    }

    private static HypError identify(Caller caller, KernelObject none, KernelObject none2, long[] x) {
        x[1] = FLAGS0;
        x[2] = 0;
        x[3] = 0;
        return HypError.OK;
    }

    private HypError entropy(Caller caller, KernelObject none, KernelObject none2, long[] x) {
        long bytes = x[0];
        if (bytes == 0 || Long.compareUnsigned(bytes, MAX_BYTES) > 0) {
            return HypError.ARGUMENT_SIZE;
        }
        if ((bytes & 3) != 0) {
            return HypError.ARGUMENT_ALIGNMENT;
        }
        if (!budgets.computeIfAbsent(caller.thread(), thread -> new Budget()).take(clockNs.getAsLong())) {
            return HypError.BUSY;
        }
        for (int i = 1; i <= 4; i++) {
            x[i] = 4L * i <= bytes ? entropy.nextInt() & 0xFFFF_FFFFL : 0;
        }
        return HypError.OK;
    }

    private static final class Budget {
        private long windowStart = Long.MIN_VALUE;
        private int reads;

        synchronized boolean take(long now) {
            if (windowStart == Long.MIN_VALUE || now - windowStart >= WINDOW_NS) {
                windowStart = now;
                reads = 0;
            }
            return reads++ < READS_PER_WINDOW;
        }
    }
}
