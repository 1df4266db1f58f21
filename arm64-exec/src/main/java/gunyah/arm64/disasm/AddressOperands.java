package gunyah.arm64.disasm;

import static gunyah.arm64.disasm.IntegerOperands.register;
import static gunyah.arm64.disasm.Operand.bits;
import static gunyah.arm64.disasm.Operand.signed;

import gunyah.arm64.decode.InstructionRow;
import java.util.HashMap;
import java.util.Map;

/** Operands of loads and stores of general registers: transfer registers, addresses, mnemonics of atomics. */
final class AddressOperands {
    private static final String[] EXTENSIONS = {"", "", "uxtw", "lsl", "", "", "sxtw", "sxtx"};
    private static final String[] PREFETCH_KINDS = {"pld", "pli", "pst"};
    private static final Map<String, Operand> NAMED = new HashMap<>();

    static {
        NAMED.put("t", (row, word, pc) -> register(isTransfer64(word), bits(word, 0, 5), false));
        NAMED.put("t16", (row, word, pc) -> register(bits(word, 30, 2) == 3, bits(word, 16, 5), false));
        NAMED.put("tl", (row, word, pc) -> register(bits(word, 30, 2) != 0, bits(word, 0, 5), false));
        NAMED.put("tp", (row, word, pc) -> register(bits(word, 30, 2) != 0, bits(word, 0, 5), false));
        NAMED.put("tp2", (row, word, pc) -> register(bits(word, 30, 2) != 0, bits(word, 10, 5), false));
        NAMED.put("tx", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 0, 5), false));
        NAMED.put("tx1", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 0, 5) + 1, false));
        NAMED.put("tx2", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 10, 5), false));
        NAMED.put("tx16", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 16, 5), false));
        NAMED.put("tx17", (row, word, pc) -> register(bits(word, 30, 1) == 1, bits(word, 16, 5) + 1, false));
        NAMED.put("unsigned", (row, word, pc) -> offset(word, (long) bits(word, 10, 12) << scale(word)));
        NAMED.put("offset9", (row, word, pc) -> offset(word, signed(word, 12, 9)));
        NAMED.put("post9", (row, word, pc) -> post(word, signed(word, 12, 9)));
        NAMED.put("pre9", (row, word, pc) -> pre(word, signed(word, 12, 9)));
        NAMED.put("offset7", (row, word, pc) -> offset(word, pairOffset(word)));
        NAMED.put("post7", (row, word, pc) -> post(word, pairOffset(word)));
        NAMED.put("pre7", (row, word, pc) -> pre(word, pairOffset(word)));
        NAMED.put("offset10", (row, word, pc) -> offset(word, authenticatedOffset(word)));
        NAMED.put("pre10", (row, word, pc) -> pre(word, authenticatedOffset(word)));
        NAMED.put("registeroffset", (row, word, pc) -> registerOffset(word));
        NAMED.put("prefetch", (row, word, pc) -> prefetch(bits(word, 0, 5)));
        NAMED.put("atomic", (row, word, pc) -> operation(row, word) + (bits(word, 23, 1) == 1 ? "a" : "")
                + release(word, 22) + sizeLetter(word));
        NAMED.put("stop", (row, word, pc) -> "st" + operation(row, word).substring(2) + release(word, 22)
                + sizeLetter(word));
        NAMED.put("cas", (row, word, pc) -> "cas" + (bits(word, 22, 1) == 1 ? "a" : "") + release(word, 15)
                + sizeLetter(word));
        NAMED.put("casp", (row, word, pc) -> "casp" + (bits(word, 22, 1) == 1 ? "a" : "") + release(word, 15));
    }

    private AddressOperands() {
    }

    static Operand named(String name) {
        return NAMED.get(name);
    }

    private static boolean isTransfer64(int word) {
        boolean extending = bits(word, 28, 2) == 3 && bits(word, 21, 1) == 0 || bits(word, 28, 2) == 1
                || bits(word, 28, 2) == 3 && (bits(word, 24, 1) == 1 || bits(word, 10, 2) == 2);
        return bits(word, 30, 2) == 3 || extending && bits(word, 22, 2) == 2;
    }

    private static String base(int word) {
        return register(true, bits(word, 5, 5), true);
    }

    private static String offset(int word, long offset) {
        return offset == 0 ? "[%s]".formatted(base(word)) : "[%s, #%d]".formatted(base(word), offset);
    }

    private static String post(int word, long offset) {
        return "[%s], #%d".formatted(base(word), offset);
    }

    private static String pre(int word, long offset) {
        return "[%s, #%d]!".formatted(base(word), offset);
    }

    /** {@return log2 of the size of a single access} */
    private static int scale(int word) {
        boolean quad = bits(word, 26, 1) == 1 && bits(word, 23, 1) == 1;
        return quad ? 4 : bits(word, 30, 2);
    }

    private static long pairOffset(int word) {
        int scale = bits(word, 26, 1) == 1 ? 2 + bits(word, 30, 2) : 2 + bits(word, 31, 1);
        return (long) signed(word, 15, 7) << scale;
    }

    private static long authenticatedOffset(int word) {
        return 8L * (bits(word, 12, 9) - 512 * bits(word, 22, 1));
    }

    private static String registerOffset(int word) {
        int option = bits(word, 13, 3);
        boolean shifted = bits(word, 12, 1) == 1;
        String index = register((option & 1) == 1, bits(word, 16, 5), false);
        if (option == 3 && !shifted) {
            return "[%s, %s]".formatted(base(word), index);
        }
        return "[%s, %s, %s%s]".formatted(base(word), index, EXTENSIONS[option], shifted ? " #" + scale(word) : "");
    }

    private static String prefetch(int operation) {
        if (operation >>> 3 == 3 || (operation >>> 1 & 3) == 3) {
            return "#0x%02x".formatted(operation);
        }
        return PREFETCH_KINDS[operation >>> 3] + "l" + ((operation >>> 1 & 3) + 1)
                + ((operation & 1) == 0 ? "keep" : "strm");
    }

    private static String operation(InstructionRow row, int word) {
        String mnemonic = IntegerOperands.mnemonic(row);
        return bits(word, 30, 2) < 2 ? mnemonic.substring(0, mnemonic.length() - 1) : mnemonic;
    }

    private static String release(int word, int bit) {
        return bits(word, bit, 1) == 1 ? "l" : "";
    }

    private static String sizeLetter(int word) {
        return switch (bits(word, 30, 2)) {
            case 0 -> "b";
            case 1 -> "h";
            default -> "";
        };
    }
}
