package gunyah.arm64.sysreg;

/**
 * The SYS operations of the vCPU: cache and TLB maintenance and address translation (Arm ARM DDI 0487, C5.3 to C5.5).
 * A word that is not here is UNDEFINED. EL0 may use the rows with op1 3 as far as SCTLR_EL1 lets it.
 */
enum SystemOperation {
    IC_IALLUIS(0, 7, 1, 0),
    IC_IALLU(0, 7, 5, 0),
    IC_IVAU(3, 7, 5, 1),
    DC_IVAC(0, 7, 6, 1),
    DC_ISW(0, 7, 6, 2),
    DC_CSW(0, 7, 10, 2),
    DC_CISW(0, 7, 14, 2),
    DC_ZVA(3, 7, 4, 1),
    DC_CVAC(3, 7, 10, 1),
    DC_CVAU(3, 7, 11, 1),
    DC_CVAP(3, 7, 12, 1),
    DC_CVADP(3, 7, 13, 1),
    DC_CIVAC(3, 7, 14, 1),
    AT_S1E1R(0, 7, 8, 0),
    AT_S1E1W(0, 7, 8, 1),
    AT_S1E0R(0, 7, 8, 2),
    AT_S1E0W(0, 7, 8, 3),
    AT_S1E1RP(0, 7, 9, 0),
    AT_S1E1WP(0, 7, 9, 1),
    TLBI_VMALLE1OS(0, 8, 1, 0),
    TLBI_VAE1OS(0, 8, 1, 1),
    TLBI_ASIDE1OS(0, 8, 1, 2),
    TLBI_VAAE1OS(0, 8, 1, 3),
    TLBI_VALE1OS(0, 8, 1, 5),
    TLBI_VAALE1OS(0, 8, 1, 7),
    TLBI_RVAE1IS(0, 8, 2, 1),
    TLBI_RVAAE1IS(0, 8, 2, 3),
    TLBI_RVALE1IS(0, 8, 2, 5),
    TLBI_RVAALE1IS(0, 8, 2, 7),
    TLBI_RVAE1OS(0, 8, 5, 1),
    TLBI_RVAAE1OS(0, 8, 5, 3),
    TLBI_RVALE1OS(0, 8, 5, 5),
    TLBI_RVAALE1OS(0, 8, 5, 7),
    TLBI_RVAE1(0, 8, 6, 1),
    TLBI_RVAAE1(0, 8, 6, 3),
    TLBI_RVALE1(0, 8, 6, 5),
    TLBI_RVAALE1(0, 8, 6, 7),
    TLBI_VMALLE1IS(0, 8, 3, 0),
    TLBI_VAE1IS(0, 8, 3, 1),
    TLBI_ASIDE1IS(0, 8, 3, 2),
    TLBI_VAAE1IS(0, 8, 3, 3),
    TLBI_VALE1IS(0, 8, 3, 5),
    TLBI_VAALE1IS(0, 8, 3, 7),
    TLBI_VMALLE1(0, 8, 7, 0),
    TLBI_VAE1(0, 8, 7, 1),
    TLBI_ASIDE1(0, 8, 7, 2),
    TLBI_VAAE1(0, 8, 7, 3),
    TLBI_VALE1(0, 8, 7, 5),
    TLBI_VAALE1(0, 8, 7, 7);

    private static final SystemOperation[] BY_KEY = new SystemOperation[1 << 14];

    static {
        for (SystemOperation operation : values()) {
            int at = operation.key & BY_KEY.length - 1;
            if (BY_KEY[at] != null) {
                throw new ExceptionInInitializerError(operation + " has the encoding of " + BY_KEY[at]);
            }
            BY_KEY[at] = operation;
        }
    }

    final int key;
    final boolean el0;

    SystemOperation(int op1, int crn, int crm, int op2) {
        key = SystemRegister.key(1, op1, crn, crm, op2);
        el0 = op1 == 3;
    }

    /** {@return the operation with this key (op0 is not looked at), or null when there is none} */
    static SystemOperation of(int key) {
        return BY_KEY[key & BY_KEY.length - 1];
    }
}
