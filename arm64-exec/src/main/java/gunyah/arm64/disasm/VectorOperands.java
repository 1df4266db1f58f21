package gunyah.arm64.disasm;

import static gunyah.arm64.disasm.IntegerOperands.register;
import static gunyah.arm64.disasm.Operand.bits;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Operands of vector registers. {@code {d5}} is a scalar register in bits 9:5; its letter may also be {@code e},
 * {@code ew} (one size larger), {@code ei} and {@code eiw} (size of a shift), {@code g} (S or D by bit 22) or {@code f}
 * (type of scalar floating point). {@code {v5.T}} is a vector register with an arrangement: a literal one, or one of
 * {@link #ARRANGEMENTS}.
 */
final class VectorOperands {
    private static final String LETTERS = "bhsdq";
    private static final Pattern SCALAR = Pattern.compile("([bhsdq]|ew|eiw|ei|e|g|f|vt|vp)(\\d+)");
    private static final Pattern VECTOR = Pattern.compile("v(\\d+)\\.(\\w+)");

    /** Arrangements by what of the word decides. */
    private static final Map<String, IntFunction<String>> ARRANGEMENTS = Map.ofEntries(
            Map.entry("T", word -> arrangement(size(word), bytes(word))),
            Map.entry("Tb", word -> arrangement(0, bytes(word))),
            Map.entry("Th", word -> arrangement(1, bytes(word))),
            Map.entry("Ts", word -> arrangement(2, bytes(word))),
            Map.entry("Td", word -> arrangement(3, bytes(word))),
            Map.entry("Tq", word -> arrangement(1, bytes(word) / 2)),
            Map.entry("Tw", word -> arrangement(size(word) + 1, 16)),
            Map.entry("Tp", word -> arrangement(size(word) + 1, bytes(word))),
            Map.entry("Tf", word -> arrangement(2 + bits(word, 22, 1), bytes(word))),
            Map.entry("Tg", word -> arrangement(2 + bits(word, 22, 1), 2 << 2 + bits(word, 22, 1))),
            Map.entry("Tn", word -> arrangement(1 + bits(word, 22, 1), bytes(word))),
            Map.entry("Tl", word -> arrangement(2 + bits(word, 22, 1), 16)),
            Map.entry("Ti", word -> arrangement(shiftSize(word), bytes(word))),
            Map.entry("Tiw", word -> arrangement(shiftSize(word) + 1, 16)),
            Map.entry("imm5", word -> arrangement(laneSize(word), bytes(word))),
            Map.entry("e", word -> lane(LETTERS.charAt(laneSize(word)), bits(word, 16, 5) >> laneSize(word) + 1)),
            Map.entry("e4", word -> lane(LETTERS.charAt(laneSize(word)), bits(word, 11, 4) >> laneSize(word))));
    private static final Map<String, Operand> NAMED = new HashMap<>();

    static {
        NAMED.put("2", (row, word, pc) -> bits(word, 30, 1) == 1 ? "2" : "");
        NAMED.put("bt", (row, word, pc) -> bits(word, 30, 1) == 1 ? "t" : "b");
        NAMED.put("vt", (row, word, pc) -> scalar(bits(word, 23, 1) << 2 | bits(word, 30, 2), bits(word, 0, 5)));
        NAMED.put("vp", (row, word, pc) -> scalar(2 + bits(word, 30, 2), bits(word, 0, 5)));
        NAMED.put("ed0", (row, word, pc) -> scalar(laneSize(word), bits(word, 0, 5)));
        NAMED.put("rdup", (row, word, pc) -> register(laneSize(word) == 3, bits(word, 5, 5), false));
        NAMED.put("rq0", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 0, 5), false));
        NAMED.put("byte", (row, word, pc) -> "0x%x".formatted(byteOf(word)));
        NAMED.put("lsl13", (row, word, pc) -> bits(word, 13, 2) == 0 ? "" : ", lsl #" + 8 * bits(word, 13, 2));
        NAMED.put("msl", (row, word, pc) -> Integer.toString(8 << bits(word, 12, 1)));
        NAMED.put("bytes", (row, word, pc) -> "#0x%x".formatted(spread(byteOf(word))));
        NAMED.put("fp8v", (row, word, pc) -> floating(byteOf(word)));
        NAMED.put("fp8", (row, word, pc) -> floating(bits(word, 13, 8)));
        NAMED.put("shll", (row, word, pc) -> Integer.toString(8 << size(word)));
        NAMED.put("right", (row, word, pc) -> Integer.toString((16 << shiftSize(word)) - bits(word, 16, 7)));
        NAMED.put("left", (row, word, pc) -> Integer.toString(bits(word, 16, 7) - (8 << shiftSize(word))));
        NAMED.put("scale", (row, word, pc) -> Integer.toString(64 - bits(word, 10, 6)));
        NAMED.put("rot1", (row, word, pc) -> bits(word, 12, 1) == 1 ? "270" : "90");
        NAMED.put("rot11", (row, word, pc) -> Integer.toString(90 * bits(word, 11, 2)));
        NAMED.put("rot13", (row, word, pc) -> Integer.toString(90 * bits(word, 13, 2)));
        NAMED.put("lane", (row, word, pc) -> size(word) == 1 ? halfLane(word)
                : element(word, "s", bits(word, 11, 1) << 1 | bits(word, 21, 1)));
        NAMED.put("laneh", (row, word, pc) -> halfLane(word));
        NAMED.put("lanef", (row, word, pc) -> bits(word, 22, 1) == 1 ? element(word, "d", bits(word, 11, 1))
                : element(word, "s", bits(word, 11, 1) << 1 | bits(word, 21, 1)));
        NAMED.put("lanec", (row, word, pc) -> size(word) == 2 ? element(word, "s", bits(word, 11, 1))
                : element(word, "h", bits(word, 11, 1) << 1 | bits(word, 21, 1)));
        NAMED.put("lane4b", (row, word, pc) -> element(word, "4b", bits(word, 11, 1) << 1 | bits(word, 21, 1)));
        NAMED.put("lane2h", (row, word, pc) -> element(word, "2h", bits(word, 11, 1) << 1 | bits(word, 21, 1)));
        NAMED.put("table", (row, word, pc) -> list(bits(word, 5, 5), bits(word, 13, 2) + 1, "16b"));
        NAMED.put("structure", (row, word, pc) -> list(bits(word, 0, 5), registers(word), arrangement(bits(word, 10, 2),
                bytes(word))));
        NAMED.put("structurepost", (row, word, pc) -> increment(word, registers(word) * bytes(word)));
        NAMED.put("element", (row, word, pc) -> list(bits(word, 0, 5), elements(word),
                LETTERS.substring(elementSize(word), elementSize(word) + 1))
                + "[" + ((bits(word, 30, 1) << 3 | bits(word, 10, 3)) >> elementSize(word)) + "]");
        NAMED.put("elementpost", (row, word, pc) -> increment(word, elements(word) << elementSize(word)));
        NAMED.put("replicated", (row, word, pc) -> list(bits(word, 0, 5), elements(word), arrangement(bits(word, 10, 2),
                bytes(word))));
        NAMED.put("replicatedpost", (row, word, pc) -> increment(word, elements(word) << bits(word, 10, 2)));
    }

    private VectorOperands() {
    }

    static Operand named(String name) {
        Matcher vector = VECTOR.matcher(name);
        if (vector.matches()) {
            int low = Integer.parseInt(vector.group(1));
            String literal = vector.group(2);
            IntFunction<String> arrangement = ARRANGEMENTS.getOrDefault(literal, word -> literal);
            return (row, word, pc) -> "v" + bits(word, low, 5) + "." + arrangement.apply(word);
        }
        Matcher scalar = SCALAR.matcher(name);
        if (scalar.matches()) {
            String kind = scalar.group(1);
            int low = Integer.parseInt(scalar.group(2));
            return (row, word, pc) -> scalar(scalarSize(kind, word), bits(word, low, 5));
        }
        return NAMED.get(name);
    }

    private static int scalarSize(String kind, int word) {
        return switch (kind) {
            case "e" -> size(word);
            case "ew" -> size(word) + 1;
            case "ei" -> shiftSize(word);
            case "eiw" -> shiftSize(word) + 1;
            case "g" -> 2 + bits(word, 22, 1);
            case "f" -> size(word) == 3 ? 1 : 2 + size(word);
            case "vp" -> 2 + bits(word, 30, 2);
            default -> LETTERS.indexOf(kind.charAt(0));
        };
    }

    private static int size(int word) {
        return bits(word, 22, 2);
    }

    private static int bytes(int word) {
        return 8 << bits(word, 30, 1);
    }

    private static int shiftSize(int word) {
        return 31 - Integer.numberOfLeadingZeros(bits(word, 19, 4));
    }

    private static int laneSize(int word) {
        return Integer.numberOfTrailingZeros(bits(word, 16, 5));
    }

    private static String arrangement(int size, int bytes) {
        return (bytes >> size) + LETTERS.substring(size, size + 1);
    }

    private static String scalar(int size, int number) {
        return LETTERS.substring(size, size + 1) + number;
    }

    private static String lane(char letter, int index) {
        return letter + "[" + index + "]";
    }

    private static String element(int word, String type, int index) {
        return "v%d.%s[%d]".formatted(bits(word, 16, 5), type, index);
    }

    private static String halfLane(int word) {
        return "v%d.h[%d]".formatted(bits(word, 16, 4), bits(word, 11, 1) << 2 | bits(word, 21, 1) << 1
                | bits(word, 20, 1));
    }

    private static int byteOf(int word) {
        return bits(word, 16, 3) << 5 | bits(word, 5, 5);
    }

    private static long spread(int imm8) {
        long value = 0;
        for (int bit = 0; bit < 8; bit++) {
            value |= (imm8 >>> bit & 1) == 0 ? 0 : 0xFFL << 8 * bit;
        }
        return value;
    }

    private static String floating(int imm8) {
        int exponent = (imm8 >>> 4 & 7 ^ 4) - 3;
        double value = Math.scalb(16 + (imm8 & 15), exponent - 4);
        return "#%.18e".formatted((imm8 & 0x80) != 0 ? -value : value);
    }

    private static String increment(int word, int bytes) {
        return bits(word, 16, 5) == 31 ? "#" + bytes : register(true, bits(word, 16, 5), false);
    }

    /** {@return how many registers a load or store of multiple structures transfers} */
    private static int registers(int word) {
        return switch (bits(word, 12, 4)) {
            case 0, 2 -> 4;
            case 4, 6 -> 3;
            case 7 -> 1;
            default -> 2;
        };
    }

    /** {@return how many registers a load or store of one structure transfers} */
    private static int elements(int word) {
        return (bits(word, 13, 1) << 1 | bits(word, 21, 1)) + 1;
    }

    private static int elementSize(int word) {
        int size = bits(word, 14, 2);
        return size == 2 && bits(word, 10, 1) == 1 ? 3 : size;
    }

    private static String list(int first, int count, String arrangement) {
        if (count > 2 && first + count <= 32) {
            return "{v%d.%s-v%d.%s}".formatted(first, arrangement, first + count - 1, arrangement);
        }
        StringBuilder text = new StringBuilder("{");
        for (int k = 0; k < count; k++) {
            text.append(k == 0 ? "" : ", ").append('v').append(first + k & 31).append('.').append(arrangement);
        }
        return text.append('}').toString();
    }
}
