package gunyah.hyp.vic;

/**
 * The CPU interface's system registers by their MRS/MSR encoding (IHI 0069, 12.2). The key packs o0:op1:CRn:CRm:op2
 * as bits 19:5 of the instruction.
 */
enum IccRegister {
    PMR(4, 6, 0, Allows.READ_WRITE),
    IAR0(12, 8, 0, Allows.READ),
    EOIR0(12, 8, 1, Allows.WRITE),
    HPPIR0(12, 8, 2, Allows.READ),
    BPR0(12, 8, 3, Allows.READ_WRITE),
    AP0R0(12, 8, 4, Allows.READ_WRITE),
    AP1R0(12, 9, 0, Allows.READ_WRITE),
    DIR(12, 11, 1, Allows.WRITE),
    RPR(12, 11, 3, Allows.READ),
    SGI1R(12, 11, 5, Allows.WRITE),
    ASGI1R(12, 11, 6, Allows.WRITE),
    SGI0R(12, 11, 7, Allows.WRITE),
    IAR1(12, 12, 0, Allows.READ),
    EOIR1(12, 12, 1, Allows.WRITE),
    HPPIR1(12, 12, 2, Allows.READ),
    BPR1(12, 12, 3, Allows.READ_WRITE),
    CTLR(12, 12, 4, Allows.READ_WRITE),
    SRE(12, 12, 5, Allows.READ_WRITE),
    IGRPEN0(12, 12, 6, Allows.READ_WRITE),
    IGRPEN1(12, 12, 7, Allows.READ_WRITE);

    /** Directions that do not trap. */
    enum Allows { READ, WRITE, READ_WRITE }

    /** All ICC registers have o0 = 1 (op0 = 3), op1 = 0 and CRn 4 or 12: ten bits tell them apart. */
    private static final int KEYS = 1 << 11;
    private static final int O0 = 1 << 14;
    private static final IccRegister[] BY_KEY = new IccRegister[KEYS];

    static {
        for (IccRegister register : values()) {
            BY_KEY[register.key & KEYS - 1] = register;
        }
    }

    final int key;
    private final Allows allows;

    IccRegister(int crn, int crm, int op2, Allows allows) {
        this.key = O0 | crn << 7 | crm << 3 | op2;
        this.allows = allows;
    }

    /** {@return the register of this key, or null} The upper bit of op0 may be there or not: it is always one. */
    static IccRegister of(int key) {
        return (key & 0x7FFF) >>> 11 == O0 >>> 11 ? BY_KEY[key & KEYS - 1] : null;
    }

    /** {@return whether it can be accessed so} */
    boolean allows(boolean write) {
        return allows != (write ? Allows.READ : Allows.WRITE);
    }
}
