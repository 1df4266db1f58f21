package gunyah.arm64.sysreg;

/**
 * The system registers of the vCPU, one row each: encoding, access per exception level, value after reset and bits a
 * write can change (Arm ARM DDI 0487, D17). A register that is neither here nor in the ID space is UNDEFINED. The
 * breakpoint and watchpoint rows are as many as ID_AA64DFR0_EL1 announces.
 */
enum SystemRegister {
    MIDR_EL1(3, 0, 0, 0, 0, "-", "r", Kind.PLAIN, IdRegisters.MIDR, 0),
    MPIDR_EL1(3, 0, 0, 0, 5, "-", "r", Kind.PLAIN, 0, 0),
    REVIDR_EL1(3, 0, 0, 0, 6, "-", "r", Kind.PLAIN, 0, 0),
    SCTLR_EL1(3, 0, 1, 0, 0, "-", "rw", Kind.WRITE_EFFECT, 0x30D5_0998, 0x0000_0000_048D_D21FL),
    ACTLR_EL1(3, 0, 1, 0, 1, "-", "rw", Kind.PLAIN, 0, 0),
    CPACR_EL1(3, 0, 1, 0, 2, "-", "rw", Kind.WRITE_EFFECT, 0, 3 << 20),
    TTBR0_EL1(3, 0, 2, 0, 0, "-", "rw", Kind.WRITE_EFFECT, 0, -1),
    TTBR1_EL1(3, 0, 2, 0, 1, "-", "rw", Kind.WRITE_EFFECT, 0, -1),
    TCR_EL1(3, 0, 2, 0, 2, "-", "rw", Kind.WRITE_EFFECT, 0, 0x0000_0077_FFFF_FFBFL),
    APIAKEYLO_EL1(3, 0, 2, 1, 0, "-", "rw", Kind.SPECIAL, 0, -1),
    APIAKEYHI_EL1(3, 0, 2, 1, 1, "-", "rw", Kind.SPECIAL, 0, -1),
    APIBKEYLO_EL1(3, 0, 2, 1, 2, "-", "rw", Kind.SPECIAL, 0, -1),
    APIBKEYHI_EL1(3, 0, 2, 1, 3, "-", "rw", Kind.SPECIAL, 0, -1),
    APDAKEYLO_EL1(3, 0, 2, 2, 0, "-", "rw", Kind.SPECIAL, 0, -1),
    APDAKEYHI_EL1(3, 0, 2, 2, 1, "-", "rw", Kind.SPECIAL, 0, -1),
    APDBKEYLO_EL1(3, 0, 2, 2, 2, "-", "rw", Kind.SPECIAL, 0, -1),
    APDBKEYHI_EL1(3, 0, 2, 2, 3, "-", "rw", Kind.SPECIAL, 0, -1),
    APGAKEYLO_EL1(3, 0, 2, 3, 0, "-", "rw", Kind.SPECIAL, 0, -1),
    APGAKEYHI_EL1(3, 0, 2, 3, 1, "-", "rw", Kind.SPECIAL, 0, -1),
    SPSR_EL1(3, 0, 4, 0, 0, "-", "rw", Kind.PLAIN, 0, 0xFFFF_FFFFL),
    ELR_EL1(3, 0, 4, 0, 1, "-", "rw", Kind.PLAIN, 0, -1),
    SP_EL0(3, 0, 4, 1, 0, "-", "rw", Kind.SPECIAL, 0, -1),
    SPSEL(3, 0, 4, 2, 0, "-", "rw", Kind.SPECIAL, 0, 1),
    CURRENTEL(3, 0, 4, 2, 2, "-", "r", Kind.SPECIAL, 0, 0),
    PAN(3, 0, 4, 2, 3, "-", "rw", Kind.SPECIAL, 0, 1 << 22),
    UAO(3, 0, 4, 2, 4, "-", "rw", Kind.SPECIAL, 0, 1 << 23),
    AFSR0_EL1(3, 0, 5, 1, 0, "-", "rw", Kind.PLAIN, 0, 0),
    AFSR1_EL1(3, 0, 5, 1, 1, "-", "rw", Kind.PLAIN, 0, 0),
    ESR_EL1(3, 0, 5, 2, 0, "-", "rw", Kind.PLAIN, 0, 0xFFFF_FFFFL),
    FAR_EL1(3, 0, 6, 0, 0, "-", "rw", Kind.PLAIN, 0, -1),
    PAR_EL1(3, 0, 7, 4, 0, "-", "rw", Kind.PLAIN, 0, -1),
    MAIR_EL1(3, 0, 10, 2, 0, "-", "rw", Kind.WRITE_EFFECT, 0, -1),
    AMAIR_EL1(3, 0, 10, 3, 0, "-", "rw", Kind.PLAIN, 0, 0),
    VBAR_EL1(3, 0, 12, 0, 0, "-", "rw", Kind.PLAIN, 0, -2048),
    ISR_EL1(3, 0, 12, 1, 0, "-", "r", Kind.SPECIAL, 0, 0),
    CONTEXTIDR_EL1(3, 0, 13, 0, 1, "-", "rw", Kind.PLAIN, 0, 0xFFFF_FFFFL),
    TPIDR_EL1(3, 0, 13, 0, 4, "-", "rw", Kind.PLAIN, 0, -1),
    CNTKCTL_EL1(3, 0, 14, 1, 0, "-", "rw", Kind.PLAIN, 0, 0x3FF),
    CCSIDR_EL1(3, 1, 0, 0, 0, "-", "r", Kind.SPECIAL, 0, 0),
    CLIDR_EL1(3, 1, 0, 0, 1, "-", "r", Kind.PLAIN, IdRegisters.CLIDR, 0),
    AIDR_EL1(3, 1, 0, 0, 7, "-", "r", Kind.PLAIN, 0, 0),
    CSSELR_EL1(3, 2, 0, 0, 0, "-", "rw", Kind.PLAIN, 0, 0xF),
    CTR_EL0(3, 3, 0, 0, 1, "trap", "r", Kind.PLAIN, IdRegisters.CTR, 0),
    DCZID_EL0(3, 3, 0, 0, 7, "r", "r", Kind.SPECIAL, 4, 0),
    NZCV(3, 3, 4, 2, 0, "rw", "rw", Kind.SPECIAL, 0, 0xF000_0000L),
    DAIF(3, 3, 4, 2, 1, "trap", "rw", Kind.SPECIAL, 0, 0x3C0),
    DIT(3, 3, 4, 2, 5, "rw", "rw", Kind.SPECIAL, 0, 1 << 24),
    SSBS(3, 3, 4, 2, 6, "rw", "rw", Kind.SPECIAL, 0, 1 << 12),
    RNDR(3, 3, 2, 4, 0, "r", "r", Kind.SPECIAL, 0, 0),
    RNDRRS(3, 3, 2, 4, 1, "r", "r", Kind.SPECIAL, 0, 0),
    FPCR(3, 3, 4, 4, 0, "rw", "rw", Kind.SPECIAL, 0, 0x07C8_0000L),
    FPSR(3, 3, 4, 4, 1, "rw", "rw", Kind.SPECIAL, 0, 0x0800_009FL),
    TPIDR_EL0(3, 3, 13, 0, 2, "rw", "rw", Kind.PLAIN, 0, -1),
    TPIDRRO_EL0(3, 3, 13, 0, 3, "r", "rw", Kind.PLAIN, 0, -1),
    CNTFRQ_EL0(3, 3, 14, 0, 0, "trap", "r", Kind.PLAIN, GenericTimers.FREQUENCY_HZ, 0),
    CNTPCT_EL0(3, 3, 14, 0, 1, "trap", "r", Kind.SPECIAL, 0, 0),
    CNTVCT_EL0(3, 3, 14, 0, 2, "trap", "r", Kind.SPECIAL, 0, 0),
    CNTPCTSS_EL0(3, 3, 14, 0, 5, "trap", "r", Kind.SPECIAL, 0, 0),
    CNTVCTSS_EL0(3, 3, 14, 0, 6, "trap", "r", Kind.SPECIAL, 0, 0),
    CNTP_TVAL_EL0(3, 3, 14, 2, 0, "trap", "rw", Kind.SPECIAL, 0, 0xFFFF_FFFFL),
    CNTP_CTL_EL0(3, 3, 14, 2, 1, "trap", "rw", Kind.SPECIAL, 0, 3),
    CNTP_CVAL_EL0(3, 3, 14, 2, 2, "trap", "rw", Kind.SPECIAL, 0, -1),
    CNTV_TVAL_EL0(3, 3, 14, 3, 0, "trap", "rw", Kind.SPECIAL, 0, 0xFFFF_FFFFL),
    CNTV_CTL_EL0(3, 3, 14, 3, 1, "trap", "rw", Kind.SPECIAL, 0, 3),
    CNTV_CVAL_EL0(3, 3, 14, 3, 2, "trap", "rw", Kind.SPECIAL, 0, -1),

    PMCR_EL0(3, 3, 9, 12, 0, "trap", "rw", Kind.PMU, 0, -1),
    PMCNTENSET_EL0(3, 3, 9, 12, 1, "trap", "rw", Kind.PMU, 0, -1),
    PMCNTENCLR_EL0(3, 3, 9, 12, 2, "trap", "rw", Kind.PMU, 0, -1),
    PMOVSCLR_EL0(3, 3, 9, 12, 3, "trap", "rw", Kind.PMU, 0, -1),
    PMSWINC_EL0(3, 3, 9, 12, 4, "trap", "w", Kind.PMU, 0, -1),
    PMSELR_EL0(3, 3, 9, 12, 5, "trap", "rw", Kind.PMU, 0, -1),
    PMCEID0_EL0(3, 3, 9, 12, 6, "trap", "r", Kind.PMU, 0, -1),
    PMCEID1_EL0(3, 3, 9, 12, 7, "trap", "r", Kind.PMU, 0, -1),
    PMCCNTR_EL0(3, 3, 9, 13, 0, "trap", "rw", Kind.PMU, 0, -1),
    PMXEVTYPER_EL0(3, 3, 9, 13, 1, "trap", "rw", Kind.PMU, 0, -1),
    PMXEVCNTR_EL0(3, 3, 9, 13, 2, "trap", "rw", Kind.PMU, 0, -1),
    PMUSERENR_EL0(3, 3, 9, 14, 0, "r", "rw", Kind.PMU, 0, -1),
    PMOVSSET_EL0(3, 3, 9, 14, 3, "trap", "rw", Kind.PMU, 0, -1),
    PMINTENSET_EL1(3, 0, 9, 14, 1, "-", "rw", Kind.PMU, 0, -1),
    PMINTENCLR_EL1(3, 0, 9, 14, 2, "-", "rw", Kind.PMU, 0, -1),
    PMEVCNTR0_EL0(3, 3, 14, 8, 0, "trap", "rw", Kind.PMU, 0, -1),
    PMEVCNTR1_EL0(3, 3, 14, 8, 1, "trap", "rw", Kind.PMU, 0, -1),
    PMEVCNTR2_EL0(3, 3, 14, 8, 2, "trap", "rw", Kind.PMU, 0, -1),
    PMEVCNTR3_EL0(3, 3, 14, 8, 3, "trap", "rw", Kind.PMU, 0, -1),
    PMEVCNTR4_EL0(3, 3, 14, 8, 4, "trap", "rw", Kind.PMU, 0, -1),
    PMEVCNTR5_EL0(3, 3, 14, 8, 5, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER0_EL0(3, 3, 14, 12, 0, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER1_EL0(3, 3, 14, 12, 1, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER2_EL0(3, 3, 14, 12, 2, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER3_EL0(3, 3, 14, 12, 3, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER4_EL0(3, 3, 14, 12, 4, "trap", "rw", Kind.PMU, 0, -1),
    PMEVTYPER5_EL0(3, 3, 14, 12, 5, "trap", "rw", Kind.PMU, 0, -1),
    PMCCFILTR_EL0(3, 3, 14, 15, 7, "trap", "rw", Kind.PMU, 0, -1),

    OSDTRRX_EL1(2, 0, 0, 0, 2, "-", "rw", Kind.PLAIN, 0, 0),
    MDCCINT_EL1(2, 0, 0, 2, 0, "-", "rw", Kind.PLAIN, 0, 0),
    MDSCR_EL1(2, 0, 0, 2, 2, "-", "rw", Kind.DEBUG, 0, 0x7C80_F041L),
    OSDTRTX_EL1(2, 0, 0, 3, 2, "-", "rw", Kind.PLAIN, 0, 0),
    OSECCR_EL1(2, 0, 0, 6, 2, "-", "rw", Kind.PLAIN, 0, 0),
    DBGBVR0_EL1(2, 0, 0, 0, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR0_EL1(2, 0, 0, 0, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    DBGWVR0_EL1(2, 0, 0, 0, 6, "-", "rw", Kind.DEBUG, 0, -4),
    DBGWCR0_EL1(2, 0, 0, 0, 7, "-", "rw", Kind.DEBUG, 0, 0x1F1F_FFFFL),
    DBGBVR1_EL1(2, 0, 0, 1, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR1_EL1(2, 0, 0, 1, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    DBGWVR1_EL1(2, 0, 0, 1, 6, "-", "rw", Kind.DEBUG, 0, -4),
    DBGWCR1_EL1(2, 0, 0, 1, 7, "-", "rw", Kind.DEBUG, 0, 0x1F1F_FFFFL),
    DBGBVR2_EL1(2, 0, 0, 2, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR2_EL1(2, 0, 0, 2, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    DBGWVR2_EL1(2, 0, 0, 2, 6, "-", "rw", Kind.DEBUG, 0, -4),
    DBGWCR2_EL1(2, 0, 0, 2, 7, "-", "rw", Kind.DEBUG, 0, 0x1F1F_FFFFL),
    DBGBVR3_EL1(2, 0, 0, 3, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR3_EL1(2, 0, 0, 3, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    DBGWVR3_EL1(2, 0, 0, 3, 6, "-", "rw", Kind.DEBUG, 0, -4),
    DBGWCR3_EL1(2, 0, 0, 3, 7, "-", "rw", Kind.DEBUG, 0, 0x1F1F_FFFFL),
    DBGBVR4_EL1(2, 0, 0, 4, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR4_EL1(2, 0, 0, 4, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    DBGBVR5_EL1(2, 0, 0, 5, 4, "-", "rw", Kind.DEBUG, 0, -1),
    DBGBCR5_EL1(2, 0, 0, 5, 5, "-", "rw", Kind.DEBUG, 0, 0x00FF_E1E7L),
    MDRAR_EL1(2, 0, 1, 0, 0, "-", "r", Kind.PLAIN, 0, 0),
    OSLAR_EL1(2, 0, 1, 0, 4, "-", "w", Kind.SPECIAL, 0, 1),
    OSLSR_EL1(2, 0, 1, 1, 4, "-", "r", Kind.PLAIN, 0xA, 0),
    OSDLR_EL1(2, 0, 1, 3, 4, "-", "rw", Kind.PLAIN, 0, 1),
    DBGPRCR_EL1(2, 0, 1, 4, 4, "-", "rw", Kind.PLAIN, 0, 1),
    DBGAUTHSTATUS_EL1(2, 0, 7, 14, 6, "-", "r", Kind.PLAIN, 0, 0),
    MDCCSR_EL0(2, 3, 0, 1, 0, "trap", "r", Kind.PLAIN, 0, 0),
    DBGDTR_EL0(2, 3, 0, 4, 0, "trap", "rw", Kind.PLAIN, 0, 0),
    DBGDTRRX_EL0(2, 3, 0, 5, 0, "trap", "rw", Kind.PLAIN, 0, 0);

    /** Where the value lives and what a write does. */
    enum Kind {
        /** A stored value. */
        PLAIN,
        /** A stored value; a write changes how the CPU works. */
        WRITE_EFFECT,
        /** A stored value; a write changes what {@link SelfHostedDebug} does. */
        DEBUG,
        /** Of {@link PerformanceMonitors}. */
        PMU,
        /** Not stored here. */
        SPECIAL
    }

    static final SystemRegister[] ALL = values();
    /** Ordinal of the register with that key, or -1. */
    private static final short[] BY_KEY = new short[1 << 16];

    static {
        java.util.Arrays.fill(BY_KEY, (short) -1);
        for (SystemRegister register : ALL) {
            if (BY_KEY[register.key] != -1) {
                throw new ExceptionInInitializerError(register + " has the encoding of " + ALL[BY_KEY[register.key]]);
            }
            BY_KEY[register.key] = (short) register.ordinal();
        }
    }

    final int key;
    /** EL0 may read; a control register may still trap it. */
    final boolean el0Read;
    final boolean el0Write;
    /** A control bit of EL1 decides about EL0's access, and a refused one is EC 0x18 instead of UNDEFINED. */
    final boolean el0Controlled;
    final boolean el1Read;
    final boolean el1Write;
    final Kind kind;
    final long reset;
    final long writeMask;

    SystemRegister(int op0, int op1, int crn, int crm, int op2, String el0, String el1, Kind kind, long reset,
            long writeMask) {
        this.key = key(op0, op1, crn, crm, op2);
        el0Controlled = el0.equals("trap");
        el1Read = el1.indexOf('r') >= 0;
        el1Write = el1.indexOf('w') >= 0;
        el0Read = el0Controlled ? el1Read : el0.indexOf('r') >= 0;
        el0Write = el0Controlled ? el1Write : el0.indexOf('w') >= 0;
        this.kind = kind;
        this.reset = reset;
        this.writeMask = writeMask;
    }

    /** {@return the fields packed as in bits 20:5 of MRS, MSR and SYS} */
    static int key(int op0, int op1, int crn, int crm, int op2) {
        return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
    }

    /** {@return the ordinal of the register with this key, or -1} */
    static int ordinalOf(int key) {
        return BY_KEY[key];
    }
}
