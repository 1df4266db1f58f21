package gunyah.hyp;

import java.util.List;

/**
 * One hypercall of the interface (a {@code .hvc} entry of Gunyah): its number, its inputs in register order, how many
 * results follow X0, and the method that gives it meaning.
 *
 * @param number      0x00..0x1ff
 * @param name        name in the real interface
 * @param arguments   at most eight inputs, two of them capabilities at most
 * @param results     result registers after X0, 0..7
 * @param errorResult what those registers hold when the call fails
 * @param keepResults true when the handler's results count even if it fails
 * @param successX0   X0 of a call that succeeds: 0 for all that report an error there
 * @param handler     the meaning
 * @param words       names, errors and remarks, for the documentation only
 */
public record HypercallRow(int number, String name, List<HypercallArgument> arguments, int results, long errorResult,
        boolean keepResults, long successX0, Handler handler, Words words) {
    /** Numbers of the table: {@code 0 <= number < TABLE_SIZE}. */
    public static final int TABLE_SIZE = 0x200;

    /** The meaning of a hypercall. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Runs on the caller's thread with all table checks passed.
         *
         * @param caller who calls
         * @param first  object of the first capability argument, referenced for the time of the call; null if none
         * @param second object of the second capability argument
         * @param x      inputs in {@code x[0..7]} by position (native numbering whatever the convention), narrowed;
         *               the handler leaves results in {@code x[1]..x[results]}
         * @return the error for X0
         */
        HypError call(Caller caller, KernelObject first, KernelObject second, long[] x);
    }

    public HypercallRow {
        arguments = List.copyOf(arguments);
        long capabilities = arguments.stream()
                .filter(argument -> argument.kind() == HypercallArgument.Kind.CAPABILITY).count();
        if (number < 0 || number >= TABLE_SIZE || arguments.size() > 8 || capabilities > 2 || results < 0
                || results > 7) {
            throw new IllegalArgumentException("hypercall row %s (0x%x)".formatted(name, number));
        }
    }

    /**
     * The rest of the interface, for people: the page docs/hypercalls.md is written from it.
     *
     * @param inputs  names of the inputs that are not reserved, in order
     * @param outputs names of the results after X0
     * @param errors  what the handler may answer beyond the table's own checks
     * @param note    a sentence, or empty
     */
    public record Words(List<String> inputs, List<String> outputs, List<HypError> errors, String note) {
        static final Words NONE = new Words(List.of(), List.of(), List.of(), "");
    }

    /** {@return a row whose results are zero on failure} */
    public static HypercallRow of(int number, String name, int results, Handler handler,
            HypercallArgument... arguments) {
        return new HypercallRow(number, name, List.of(arguments), results, 0, false, 0, handler, Words.NONE);
    }

    /** {@return this row with {@code value} in every result register when the call fails} */
    public HypercallRow failingWith(long value) {
        return new HypercallRow(number, name, arguments, results, value, keepResults, successX0, handler, words);
    }

    /** {@return this row with the handler's results kept when it fails} */
    public HypercallRow keepingResults() {
        return new HypercallRow(number, name, arguments, results, errorResult, true, successX0, handler, words);
    }

    /** {@return this row with {@code value} in X0 when the call succeeds} */
    public HypercallRow succeedingWith(long value) {
        return new HypercallRow(number, name, arguments, results, errorResult, keepResults, value, handler, words);
    }

    /** {@return this row with the names of its inputs} */
    public HypercallRow inputs(String... names) {
        return with(new Words(List.of(names), words.outputs, words.errors, words.note));
    }

    /** {@return this row with the names of its results} */
    public HypercallRow outputs(String... names) {
        return with(new Words(words.inputs, List.of(names), words.errors, words.note));
    }

    /** {@return this row with the errors of its handler} */
    public HypercallRow errors(HypError... ofHandler) {
        return with(new Words(words.inputs, words.outputs, List.of(ofHandler), words.note));
    }

    /** {@return this row with a remark} */
    public HypercallRow note(String text) {
        return with(new Words(words.inputs, words.outputs, words.errors, text));
    }

    private HypercallRow with(Words newWords) {
        return new HypercallRow(number, name, arguments, results, errorResult, keepResults, successX0, handler,
                newWords);
    }
}
