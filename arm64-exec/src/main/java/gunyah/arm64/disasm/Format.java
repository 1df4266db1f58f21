package gunyah.arm64.disasm;

import gunyah.arm64.decode.InstructionRow;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One line of {@code formats.txt}: which rows it is for, when it applies, and the text. */
final class Format {
    private static final Pattern LINE = Pattern.compile("(\\S+) \\|([^|]*)\\| (.*)");
    private static final Pattern TOKEN = Pattern.compile("\\{([^ }]+)}|[^{]+|\\{");
    private static final Pattern FIELD = Pattern.compile("(\\d+):(\\d+)(=|!=|==|<)(\\d+)(?::(\\d+))?");

    private final String line;
    private final Pattern rows;
    private final boolean threeOperands;
    private final List<IntPredicate> conditions = new ArrayList<>();
    private final List<Operand> parts = new ArrayList<>();

    private Format(String line, Pattern rows, boolean threeOperands) {
        this.line = line;
        this.rows = rows;
        this.threeOperands = threeOperands;
    }

    static Format parse(String line) {
        Matcher columns = LINE.matcher(line);
        if (!columns.matches()) {
            throw new IllegalStateException("format " + line);
        }
        String conditions = columns.group(2).strip();
        Format format = new Format(line, Pattern.compile(columns.group(1)), conditions.contains("@three"));
        for (String condition : conditions.split(",")) {
            if (!condition.isEmpty() && !condition.equals("@three")) {
                format.conditions.add(condition(condition));
            }
        }
        Matcher token = TOKEN.matcher(columns.group(3));
        while (token.find()) {
            String name = token.group(1);
            String text = token.group();
            format.parts.add(name == null ? (row, word, pc) -> text : operand(name));
        }
        return format;
    }

    private static IntPredicate condition(String text) {
        if (text.startsWith("@")) {
            return Conditions.named(text.substring(1));
        }
        Matcher field = FIELD.matcher(text);
        if (!field.matches()) {
            throw new IllegalStateException("condition " + text);
        }
        int low = Integer.parseInt(field.group(1));
        int width = Integer.parseInt(field.group(2));
        int value = Integer.parseInt(field.group(4));
        return switch (field.group(3)) {
            case "=" -> word -> Operand.bits(word, low, width) == value;
            case "!=" -> word -> Operand.bits(word, low, width) != value;
            case "<" -> word -> Operand.bits(word, low, width) < value;
            default -> word -> Operand.bits(word, low, width) == Operand.bits(word, value,
                    Integer.parseInt(field.group(5)));
        };
    }

    private static Operand operand(String name) {
        Operand operand = IntegerOperands.named(name);
        if (operand == null) {
            operand = AddressOperands.named(name);
        }
        if (operand == null) {
            operand = VectorOperands.named(name);
        }
        if (operand == null) {
            throw new IllegalStateException("operand " + name);
        }
        return operand;
    }

    boolean isOf(InstructionRow row) {
        return rows.matcher(row.name()).matches() && (!threeOperands || row.pattern().contains("mmmmm"));
    }

    /** {@return whether it holds for every word of its rows} */
    boolean isUnconditional() {
        return conditions.isEmpty();
    }

    boolean applies(int word) {
        for (IntPredicate condition : conditions) {
            if (!condition.test(word)) {
                return false;
            }
        }
        return true;
    }

    String text(InstructionRow row, int word, long pc) {
        StringBuilder text = new StringBuilder();
        for (Operand part : parts) {
            text.append(part.text(row, word, pc));
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return line;
    }
}
