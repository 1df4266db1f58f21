package gunyah.arm64.state;

/**
 * What a CPU asks of its owner while guest code runs. All methods are called on the vCPU's thread and must be quick.
 */
public interface CpuPort {
    /** {@return the system counter (CNTPCT = CNTVCT), ticks of CNTFRQ} */
    long counter();

    /** {@return 64 unpredictable bits, for RNDR} */
    default long random() {
        return HostEntropy.SOURCE.nextLong();
    }

    /** Some EL1 timer register was written: the owner re-evaluates lines and re-arms its deadline. */
    void timerProgrammed();

    /** A deadline passed while running (attention bit TIMER): the owner re-evaluates the timer lines. */
    void timerExpired();

    /** The level of the PMU's overflow interrupt may have changed: the owner looks at it. */
    default void overflowChanged() {
    }

    /**
     * Reads a GIC CPU interface register.
     *
     * @param key op0:op1:CRn:CRm:op2 packed as in bits 20:5 of MRS and MSR (16 bits): op0 in 15:14, op1 in 13:11, CRn in
     *            10:7, CRm in 6:3, op2 in 2:0
     * @return the value; called only for keys that {@link #hasIcc} accepts
     */
    long readIcc(int key);

    /** Writes a GIC CPU interface register; see {@link #readIcc}. */
    void writeIcc(int key, long value);

    /** {@return whether the GIC CPU interface has a register of this key that may be read (or written)} */
    boolean hasIcc(int key, boolean write);
}
