package gunyah.arm64.disasm;

import static gunyah.arm64.disasm.Operand.bits;
import static gunyah.arm64.disasm.Operand.signed;

import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.semantics.Logical;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Operands of general registers, immediates, conditions and labels, and mnemonics. {@code {r5}} is the register in bits
 * 9:5, W or X by bit 31; {@code {w5}} and {@code {x5}} are that always; with an {@code s} behind, 31 is SP.
 * {@code {d10:6}} is a field in decimal, {@code {h10:6}} in hexadecimal.
 */
final class IntegerOperands {
    private static final Pattern REGISTER = Pattern.compile("([rwx])(\\d+)(s?)");
    private static final Pattern FIELD = Pattern.compile("([dh])(\\d+):(\\d+)");
    private static final String[] SHIFTS = {"lsl", "lsr", "asr", "ror"};
    private static final String[] EXTENSIONS = {"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"};
    private static final String[] CONDITIONS = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt",
        "gt", "le", "al", "nv"};
    private static final String[][] OTHER_NAMES = {{"none"}, {"any"}, {"hs", "nlast"}, {"lo", "ul", "last"}, {"first"},
        {"nfrst"}, {}, {}, {"pmore"}, {"plast"}, {"tcont"}, {"tstop"}, {}, {}, {}, {}};
    private static final String[] BARRIERS = {"#0x00", "oshld", "oshst", "osh", "#0x04", "nshld", "nshst", "nsh",
        "#0x08", "ishld", "ishst", "ish", "#0x0c", "ld", "st", "sy"};
    private static final Map<Integer, String> HINTS = Map.ofEntries(Map.entry(0, "nop"), Map.entry(1, "yield"),
            Map.entry(16, "esb"), Map.entry(17, "psb csync"), Map.entry(18, "tsb csync"),
            Map.entry(20, "csdb"), Map.entry(22, "clearbhb"), Map.entry(32, "bti"), Map.entry(34, "bti c"),
            Map.entry(36, "bti j"), Map.entry(38, "bti jc"));
    private static final Map<Integer, String> PSTATE = Map.of(3, "uao", 4, "pan", 5, "spsel", 25, "ssbs", 26, "dit", 30,
            "daifset", 31, "daifclr");
    private static final Map<String, Operand> NAMED = new HashMap<>();

    static {
        NAMED.put("m", (row, word, pc) -> mnemonic(row));
        NAMED.put("mu", (row, word, pc) -> inserted(row, "u"));
        NAMED.put("mt", (row, word, pc) -> inserted(row, "t"));
        NAMED.put("mn", (row, word, pc) -> inserted(row, "n"));
        NAMED.put("shiftname", (row, word, pc) -> SHIFTS[bits(word, 10, 2)]);
        NAMED.put("imm12", (row, word, pc) -> "#0x%x%s".formatted(bits(word, 10, 12),
                bits(word, 22, 1) == 1 ? ", lsl #12" : ""));
        NAMED.put("imm16", (row, word, pc) -> "#0x%x%s".formatted(bits(word, 5, 16), bits(word, 21, 2) == 0 ? ""
                : ", lsl #" + 16 * bits(word, 21, 2)));
        NAMED.put("movz", (row, word, pc) -> wide(word, (long) bits(word, 5, 16) << 16 * bits(word, 21, 2)));
        NAMED.put("movn", (row, word, pc) -> wide(word, ~((long) bits(word, 5, 16) << 16 * bits(word, 21, 2))));
        NAMED.put("bitmask", (row, word, pc) -> "#0x%x".formatted(mask(word)));
        NAMED.put("//bitmask", (row, word, pc) -> remark(word, mask(word)));
        NAMED.put("shift", (row, word, pc) -> bits(word, 22, 2) == 0 && bits(word, 10, 6) == 0 ? ""
                : ", %s #%d".formatted(SHIFTS[bits(word, 22, 2)], bits(word, 10, 6)));
        NAMED.put("extended", (row, word, pc) -> extended(row, word));
        NAMED.put("lsb", (row, word, pc) -> Integer.toString(-bits(word, 16, 6) & (word < 0 ? 63 : 31)));
        NAMED.put("inserted", (row, word, pc) -> Integer.toString(bits(word, 10, 6) + 1));
        NAMED.put("extracted", (row, word, pc) -> Integer.toString(bits(word, 10, 6) - bits(word, 16, 6) + 1));
        NAMED.put("cond0", (row, word, pc) -> CONDITIONS[bits(word, 0, 4)]);
        NAMED.put("cond12", (row, word, pc) -> CONDITIONS[bits(word, 12, 4)]);
        NAMED.put("!cond12", (row, word, pc) -> CONDITIONS[bits(word, 12, 4) ^ 1]);
        NAMED.put("//cond12", (row, word, pc) -> otherNames(bits(word, 12, 4)));
        NAMED.put("//!cond12", (row, word, pc) -> otherNames(bits(word, 12, 4) ^ 1));
        NAMED.put("//bcond0", (row, word, pc) -> {
            String[] names = OTHER_NAMES[bits(word, 0, 4)];
            return names.length == 0 ? "" : " // b." + String.join(", b.", names);
        });
        NAMED.put("label26", (row, word, pc) -> label(pc + 4L * signed(word, 0, 26)));
        NAMED.put("label19", (row, word, pc) -> label(pc + 4L * signed(word, 5, 19)));
        NAMED.put("label14", (row, word, pc) -> label(pc + 4L * signed(word, 5, 14)));
        NAMED.put("adr", (row, word, pc) -> label(pc + pageOffset(word)));
        NAMED.put("adrp", (row, word, pc) -> label((pc & -4096) + (pageOffset(word) << 12)));
        NAMED.put("rtest", (row, word, pc) -> register(word < 0, bits(word, 0, 5), false));
        NAMED.put("testbit", (row, word, pc) -> Integer.toString(word >>> 31 << 5 | bits(word, 19, 5)));
        NAMED.put("hint", (row, word, pc) -> HINTS.getOrDefault(bits(word, 5, 7),
                "hint #0x%x".formatted(bits(word, 5, 7))));
        NAMED.put("barrier", (row, word, pc) -> BARRIERS[bits(word, 8, 4)]);
        NAMED.put("pstate", (row, word, pc) -> "msr %s, #0x%x".formatted(PSTATE.get(bits(word, 16, 3) << 3
                | bits(word, 5, 3)), bits(word, 8, 4)));
        NAMED.put("pstateregister", (row, word, pc) -> SystemNames.register(bits(word, 5, 14), true));
        NAMED.put("sysreg", (row, word, pc) -> SystemNames.register(bits(word, 5, 15) | 0x8000, false));
        NAMED.put("sysregw", (row, word, pc) -> SystemNames.register(bits(word, 5, 15) | 0x8000, true));
        NAMED.put("sysname", (row, word, pc) -> SystemNames.operation(bits(word, 5, 14)).replace("$",
                register(true, bits(word, 0, 5), false)));
        NAMED.put("undefined", (row, word, pc) -> ".inst 0x%08x ; undefined".formatted(word));
    }

    private IntegerOperands() {
    }

    static Operand named(String name) {
        Matcher register = REGISTER.matcher(name);
        if (register.matches()) {
            char kind = register.group(1).charAt(0);
            int low = Integer.parseInt(register.group(2));
            boolean sp = !register.group(3).isEmpty();
            return (row, word, pc) -> register(kind == 'x' || kind == 'r' && word < 0, bits(word, low, 5), sp);
        }
        Matcher field = FIELD.matcher(name);
        if (field.matches()) {
            String format = field.group(1).equals("d") ? "%d" : "0x%x";
            int low = Integer.parseInt(field.group(2));
            int width = Integer.parseInt(field.group(3));
            return (row, word, pc) -> format.formatted(bits(word, low, width));
        }
        return NAMED.get(name);
    }

    static String register(boolean sixtyFour, int number, boolean sp) {
        if (number == 31) {
            return sp ? sixtyFour ? "sp" : "wsp" : sixtyFour ? "xzr" : "wzr";
        }
        return (sixtyFour ? "x" : "w") + number;
    }

    /** {@return the row's name up to its first underscore} */
    static String mnemonic(InstructionRow row) {
        int end = row.name().indexOf('_');
        return (end < 0 ? row.name() : row.name().substring(0, end)).toLowerCase(Locale.ROOT);
    }

    private static String inserted(InstructionRow row, String letter) {
        String mnemonic = mnemonic(row);
        return mnemonic.substring(0, 2) + letter + mnemonic.substring(2);
    }

    /** {@return the bit mask immediate of a word} */
    static long mask(int word) {
        long mask = Logical.bitMask(bits(word, 22, 1), bits(word, 10, 6), bits(word, 16, 6));
        return word < 0 ? mask : mask & 0xFFFF_FFFFL;
    }

    private static String wide(int word, long value) {
        long shown = word < 0 ? value : value & 0xFFFF_FFFFL;
        return "#0x%x%s".formatted(shown, remark(word, shown));
    }

    private static String remark(int word, long value) {
        return " // #" + (word < 0 ? value : (int) value);
    }

    private static String otherNames(int condition) {
        String[] names = OTHER_NAMES[condition];
        return names.length == 0 ? "" : " // %s = %s".formatted(CONDITIONS[condition], String.join(", ", names));
    }

    private static String label(long address) {
        return "0x%x".formatted(address);
    }

    private static long pageOffset(int word) {
        return (long) signed(word, 5, 19) << 2 | bits(word, 29, 2);
    }

    private static String extended(InstructionRow row, int word) {
        int option = bits(word, 13, 3);
        int amount = bits(word, 10, 3);
        String register = register(word < 0 && (option & 3) == 3, bits(word, 16, 5), false);
        boolean setsFlags = bits(word, 29, 1) == 1;
        boolean stack = bits(word, 5, 5) == 31 || !setsFlags && bits(word, 0, 5) == 31;
        if (stack && option == (word < 0 ? 3 : 2)) {
            return amount == 0 ? register : register + ", lsl #" + amount;
        }
        return "%s, %s%s".formatted(register, EXTENSIONS[option], amount == 0 ? "" : " #" + amount);
    }
}
