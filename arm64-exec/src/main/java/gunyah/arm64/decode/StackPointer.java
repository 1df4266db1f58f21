package gunyah.arm64.decode;

/**
 * Which words use the stack pointer as the base of an access, and which may leave it misaligned: SP alignment checks
 * (Arm ARM DDI 0487, D1.8.2, CheckSPAlignment) cost nothing when every other word keeps SP as aligned as it was.
 */
public final class StackPointer {
    private static final int SP = 31;

    private StackPointer() {
    }

    /** {@return whether the word is a load or store, not a prefetch, with SP as its base: SP must be aligned} */
    public static boolean isBase(int word) {
        boolean prefetch = (word & 0xFFC0_0000) == 0xF980_0000 || (word & 0xFFC0_0000) == 0xF880_0000;
        return isAccess(word) && (word >>> 5 & 31) == SP && !prefetch;
    }

    /** {@return whether an aligned SP may be misaligned after the word} */
    static boolean mayMisalign(int word) {
        int source = word >>> 5 & 31;
        if (isAccess(word)) {
            return source == SP && isWriteBackOfOddSize(word);
        }
        if ((word & 31) != SP) {
            return false;
        }
        boolean addImmediate = (word & 0x3F80_0000) == 0x1100_0000;
        boolean addExtended = (word & 0x3FE0_0000) == 0x0B20_0000;
        boolean logicalImmediate = (word & 0x1F80_0000) == 0x1200_0000 && (word >>> 29 & 3) != 3;
        if (addImmediate) {
            boolean keeps = source == SP && ((word >>> 22 & 1) == 1 || (word >>> 10 & 15) == 0);
            return !keeps;
        }
        return addExtended || logicalImmediate;
    }

    /** Loads and stores but those of literals, which have no base. */
    private static boolean isAccess(int word) {
        return (word >>> 25 & 5) == 4 && (word & 0x3B00_0000) != 0x1800_0000;
    }

    private static boolean isWriteBackOfOddSize(int word) {
        boolean vector = (word >>> 26 & 1) == 1;
        return switch (word >>> 28 & 3) {
            // structures: the size depends on many fields, or on a register
            case 0 -> vector && (word >>> 23 & 1) == 1;
            case 2 -> {
                int scale = vector ? 2 + (word >>> 30) : 2 + (word >>> 31);
                yield (word >>> 23 & 1) == 1 && ((word >>> 15 & 0x7F) << scale & 15) != 0;
            }
            case 3 -> {
                boolean post = (word & 0x0120_0C00) == 0x0000_0400;
                boolean pre = (word & 0x0120_0C00) == 0x0000_0C00;
                boolean authenticated = (word & 0xFF20_0C00) == 0xF820_0C00;
                yield (post || pre) && (word >>> 12 & 15) != 0 || authenticated;
            }
            default -> false;
        };
    }
}
