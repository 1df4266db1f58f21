package gunyah.arm64.semantics;

/** Shifted and extended register operands (C1.2, shift and extend types as encoded). */
public final class Shift {
    public static final int LSL = 0;
    public static final int LSR = 1;
    public static final int ASR = 2;
    public static final int ROR = 3;

    public static final int UXTW = 2;
    public static final int UXTX = 3;
    public static final int SXTW = 6;

    private Shift() {
    }

    /** {@return {@code value} shifted by 0..63} */
    public static long shift64(long value, int type, int amount) {
        return switch (type) {
            case LSL -> value << amount;
            case LSR -> value >>> amount;
            case ASR -> value >> amount;
            default -> Long.rotateRight(value, amount);
        };
    }

    /** {@return {@code value} shifted by 0..31} */
    public static int shift32(int value, int type, int amount) {
        return switch (type) {
            case LSL -> value << amount;
            case LSR -> value >>> amount;
            case ASR -> value >> amount;
            default -> Integer.rotateRight(value, amount);
        };
    }

    /** {@return {@code value} extended by option 0..7 (UXTB, UXTH, UXTW, UXTX, SXTB, ...), then shifted left} */
    public static long extend(long value, int option, int amount) {
        return switch (option) {
            case 0 -> value & 0xFF;
            case 1 -> value & 0xFFFF;
            case UXTW -> value & 0xFFFF_FFFFL;
            case 4 -> (byte) value;
            case 5 -> (short) value;
            case SXTW -> (int) value;
            default -> value;
        } << amount;
    }
}
