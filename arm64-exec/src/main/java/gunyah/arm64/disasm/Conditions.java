package gunyah.arm64.disasm;

import static gunyah.arm64.disasm.Operand.bits;

import java.util.Map;
import java.util.function.IntPredicate;

/** The named conditions of formats: when an alias is preferred (Arm ARM DDI 0487, C6.2). */
final class Conditions {
    private static final Map<String, IntPredicate> NAMED = Map.of(
            "notMoveWide", word -> !moveWidePreferred(word),
            "movzAlias", word -> bits(word, 5, 16) != 0 || bits(word, 21, 2) == 0,
            "movnAlias", word -> (bits(word, 5, 16) != 0 || bits(word, 21, 2) == 0)
                    && (word < 0 || bits(word, 5, 16) != 0xFFFF),
            "toTop", word -> bits(word, 10, 6) == (word < 0 ? 63 : 31),
            "insert", word -> bits(word, 10, 6) < bits(word, 16, 6),
            "shiftLeft", word -> bits(word, 10, 6) + 1 == bits(word, 16, 6),
            "invertible", word -> bits(word, 12, 4) < 14,
            "named", word -> SystemNames.operation(bits(word, 5, 14)) != null,
            // what stands for UMOV of a whole lane: S, or D
            "wholeLane", word -> Integer.numberOfTrailingZeros(bits(word, 16, 5)) >= 2);
    private static final IntPredicate NO_SHIFT = word -> Integer.bitCount(bits(word, 16, 7)) == 1;

    private Conditions() {
    }

    static IntPredicate named(String name) {
        IntPredicate condition = name.equals("noShift") ? NO_SHIFT : NAMED.get(name);
        if (condition == null) {
            throw new IllegalStateException("condition @" + name);
        }
        return condition;
    }

    /** MoveWidePreferred: MOVZ or MOVN can make the mask, too. */
    private static boolean moveWidePreferred(int word) {
        long mask = IntegerOperands.mask(word);
        long other = word < 0 ? ~mask : ~mask & 0xFFFF_FFFFL;
        return isWide(mask) || isWide(other);
    }

    private static boolean isWide(long value) {
        for (int shift = 0; shift < 64; shift += 16) {
            if ((value & ~(0xFFFFL << shift)) == 0) {
                return true;
            }
        }
        return false;
    }
}
