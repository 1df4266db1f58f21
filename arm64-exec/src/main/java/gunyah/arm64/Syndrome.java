package gunyah.arm64;

import gunyah.arm64.state.CpuExit;

/**
 * The instruction-specific part of a data abort's syndrome (ESR_EL2.ISS with ISV): which single-register load or store
 * an instruction word is. Source: Arm ARM DDI 0487, D17.2.37, "ISV".
 */
final class Syndrome {
    private Syndrome() {
    }

    /** Fills the ISV fields of {@code exit} from the faulting instruction; {@code isv} false when it is no such access. */
    static void describe(int word, CpuExit exit) {
        exit.isv = true;
        exit.sizeLog2 = word >>> 30;
        exit.register = word & 31;
        int opc = word >>> 22 & 3;
        boolean unsignedOffset = (word & 0x3F00_0000) == 0x3900_0000;
        boolean unscaledOrUnprivileged = (word & 0x3F20_0400) == 0x3800_0000;
        boolean registerOffset = (word & 0x3F20_0C00) == 0x3820_0800;
        boolean acquireUnscaled = (word & 0x3F20_0C00) == 0x1900_0000;
        boolean ordered = (word & 0x3FA0_0000) == 0x0880_0000;
        boolean loadAcquirePc = (word & 0x3FFF_FC00) == 0x38BF_C000;
        boolean literal = (word & 0x3F00_0000) == 0x1800_0000;
        if (unsignedOffset || unscaledOrUnprivileged || registerOffset || acquireUnscaled) {
            exit.signExtend = opc >= 2;
            exit.sixtyFour = opc == 2 || opc < 2 && exit.sizeLog2 == 3;
        } else if (ordered || loadAcquirePc) {
            exit.signExtend = false;
            exit.sixtyFour = exit.sizeLog2 == 3;
        } else if (literal) {
            exit.signExtend = exit.sizeLog2 == 2;
            exit.sixtyFour = exit.sizeLog2 != 0;
            exit.sizeLog2 = exit.sizeLog2 == 1 ? 3 : 2;
        } else {
            exit.isv = false;
        }
    }
}
