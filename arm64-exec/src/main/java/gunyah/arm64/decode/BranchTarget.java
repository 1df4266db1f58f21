package gunyah.arm64.decode;

/**
 * Which words set PSTATE.BTYPE, and which a branch may go to in a guarded page (FEAT_BTI; Arm ARM DDI 0487, D8.4.5,
 * BTypeCompatible_BTI and BTypeCompatible_PACIXSP). Types: 1 is BR by X16 or X17, or from a page that is not guarded; 2
 * is BLR; 3 is any other BR.
 */
public final class BranchTarget {
    private static final int PACIASP = 0xD503_233F;
    private static final int PACIBSP = 0xD503_237F;
    private static final int BTI = 0xD503_241F;

    private BranchTarget() {
    }

    /** {@return whether the word is BR or BLR} Their authenticating forms are rows of their own. */
    static boolean setsType(int word) {
        return (word & 0xFFDF_FC1F) == 0xD61F_0000;
    }

    /**
     * {@return whether a branch of that type, 1 to 3, may go to the word}
     *
     * @param strict PACIASP and PACIBSP refuse type 3 (SCTLR_EL1.BT0 or BT1)
     */
    public static boolean accepts(int word, int type, boolean strict) {
        if (word == PACIASP || word == PACIBSP) {
            return type != 3 || !strict;
        }
        if ((word & 0xFFFF_FF3F) == BTI) {
            boolean call = (word & 1 << 6) != 0;
            boolean jump = (word & 1 << 7) != 0;
            return type == 1 ? call || jump : type == 2 ? call : jump;
        }
        boolean hlt = (word & 0xFFE0_001F) == 0xD440_0000;
        return isBreakpoint(word) || hlt;
    }

    /** {@return whether the word is BRK, whose exception reports the type it was reached with} */
    public static boolean isBreakpoint(int word) {
        return (word & 0xFFE0_001F) == 0xD420_0000;
    }
}
