package gunyah.hyp.abi;

import gunyah.hyp.HypError;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A table of calls with what must come back, in one form of calling, for the guest of {@code abi.S}: the layout of its
 * rows is written there. A value may be a variable ({@link #slot}) that an earlier row saved.
 */
final class Script {
    /** How guest code makes hypercalls. */
    enum Form { NATIVE, HVC, SMC }

    static final int ROW_BYTES = 0x140;
    /** {@code x3} of a load or store that took an abort; the syndrome is in x0, the address in x2. */
    static final long ABORTED = 0xAB;

    private static final long DATA_ABORT = 0x9600_0010L;
    private static final int HVC_0 = 0x200;
    private static final int SMC_0 = 0x201;
    private static final int LOAD_32 = 0x202;
    private static final int LOAD_64 = 0x203;
    private static final int STORE_32 = 0x204;
    private static final int STORE_64 = 0x205;
    private static final int HVC_UNKNOWN = 0x206;
    private static final int SMC_UNKNOWN = 0x207;
    private static final int END = -1;
    private static final int REGISTERS = 8;
    private static final long SLOT = 0x5107_5107_0000_0000L;
    private static final long SLOT_MASK = 0xFFFF_FFFF_0000_0000L;
    private static final long HYPERCALL = 0xC600_8000L;
    /** What callers by SMCCC may leave in reserved registers. */
    private static final long JUNK = 0xDEAD_BEEF_0BAD_F00DL;

    private final Form form;
    private final List<Row> rows = new ArrayList<>();
    private final Map<Integer, Set<HypError>> seen = new TreeMap<>();
    private final Map<String, Integer> answers = new TreeMap<>();
    private String section = "";
    private int slots;

    /** @param firstSlot variables before it belong to a script that the same vCPU executes before */
    Script(Form form, int firstSlot) {
        this.form = form;
        slots = firstSlot;
    }

    Form form() {
        return form;
    }

    boolean isNative() {
        return form == Form.NATIVE;
    }

    /** Names what follows, for failures. */
    void section(String name) {
        section = name;
    }

    /** {@return a variable} */
    long slot() {
        return slot(slots++);
    }

    /** {@return the variable of that number, to share} */
    static long slot(int number) {
        return SLOT | number;
    }

    /** {@return the number of the next variable} */
    int slotEnd() {
        return slots;
    }

    private static boolean isSlot(long value) {
        return (value & SLOT_MASK) == SLOT;
    }

    /** {@return per call which answers it is made to give} */
    Map<Integer, Set<HypError>> seen() {
        return seen;
    }

    /** A hypercall that succeeds; {@code inputs} without the reserved ones. */
    Row ok(int number, long... inputs) {
        return expect(HypError.OK, number, inputs);
    }

    /** A hypercall that fails. */
    Row fails(HypError error, int number, long... inputs) {
        return expect(error, number, inputs);
    }

    private Row expect(HypError error, int number, long... inputs) {
        seen.computeIfAbsent(number, key -> EnumSet.noneOf(HypError.class)).add(error);
        return row(error, Interface.call(number), withReserved(Interface.call(number), inputs, 0));
    }

    /** A call whose reserved input is what it must not be: native calls refuse it, others do not look at it. */
    Row reserved(int number, long... inputs) {
        Interface.Call call = Interface.call(number);
        return row(isNative() ? HypError.ARGUMENT_INVALID : HypError.OK, call, withReserved(call, inputs, 1L << 40));
    }

    private long[] withReserved(Interface.Call call, long[] inputs, long wrong) {
        long[] all = new long[call.inputs().size()];
        int next = 0;
        for (int i = 0; i < all.length; i++) {
            Interface.Input input = call.inputs().get(i);
            if (input.reserved()) {
                all[i] = !isNative() ? JUNK : input.kind() == Interface.Kind.ZERO ? wrong : -1 ^ wrong;
            } else {
                all[i] = inputs[next++];
            }
        }
        if (next != inputs.length) {
            throw new IllegalArgumentException("%s takes %d inputs".formatted(call, next));
        }
        return all;
    }

    private Row row(HypError error, Interface.Call call, long[] inputs) {
        long[] x = new long[REGISTERS];
        int first = isNative() ? 0 : 1;
        System.arraycopy(inputs, 0, x, first, inputs.length);
        if (!isNative()) {
            x[0] = HYPERCALL | call.number();
        }
        Row row = add(isNative() ? call.number() : form == Form.HVC ? HVC_0 : SMC_0, isNative(), x,
                "%s %s -> %s".formatted(call, words(inputs), error));
        row.expect[0] = error.code();
        for (int i = 1; i < REGISTERS; i++) {
            boolean result = i <= call.results();
            row.expect[i] = result ? call.failing() : isNative() ? 0 : x[i];
            row.mask[i] = result && error == HypError.OK ? 0 : -1;
        }
        return row;
    }

    /** A number that nobody has. */
    void hole(int number) {
        long[] x = {HYPERCALL | number, 1, 2, 3, 4, 5, 6, 7};
        Row row = add(isNative() ? number : form == Form.HVC ? HVC_0 : SMC_0, isNative(), x,
                "unknown call 0x%x".formatted(number));
        Arrays.fill(row.expect, 1, REGISTERS, 0);
        if (!isNative()) {
            System.arraycopy(x, 1, row.expect, 1, REGISTERS - 1);
        }
        row.expect[0] = -1;
    }

    /** HVC and SMC with immediates that mean nothing. */
    void unknownImmediates() {
        for (int stub : new int[] {HVC_UNKNOWN, SMC_UNKNOWN}) {
            Row row = add(stub, false, new long[] {9, 1, 2, 3, 4, 5, 6, 7}, "unknown immediate");
            row.expect[0] = -1;
        }
    }

    /** An SMCCC call that is no hypercall, by HVC or as the form says. {@code results} from X0 on; the rest is kept. */
    Row smccc(long function, long[] inputs, long... results) {
        long[] x = {function, 1, 2, 3, 4, 5, 6, 7};
        System.arraycopy(inputs, 0, x, 1, inputs.length);
        Row row = add(form == Form.SMC ? SMC_0 : HVC_0, false, x, "SMCCC 0x%x %s".formatted(function, words(inputs)));
        System.arraycopy(results, 0, row.expect, 0, results.length);
        return row;
    }

    /** A load that gives a value. */
    Row load(long va, int bytes, long value) {
        Row row = memory(bytes == 4 ? LOAD_32 : LOAD_64, va, 0, "load");
        row.expect[0] = value;
        return row;
    }

    Row store(long va, int bytes, long value) {
        return memory(bytes == 4 ? STORE_32 : STORE_64, va, value, "store");
    }

    /** A load that gives a value or, if the page is not there, an abort. */
    void loadsOrAborts(long va, long value) {
        Row row = memory(LOAD_64, va, 0, "load or abort");
        Arrays.fill(row.mask, 0);
        row.label = got -> got[3] == ABORTED && got[0] == DATA_ABORT ? "aborted"
                : got[3] == 3 && got[0] == value ? "loaded" : "";
    }

    /** A load that takes a synchronous external abort. */
    void loadAborts(long va) {
        aborts(LOAD_64, va);
    }

    /** A store that takes one. */
    void storeAborts(long va) {
        aborts(STORE_64, va);
    }

    private void aborts(int stub, long va) {
        Row row = memory(stub, va, 0x77, "abort");
        row.expect[0] = DATA_ABORT;
        row.expect[2] = va;
        row.expect[3] = ABORTED;
    }

    private Row memory(int stub, long va, long value, String what) {
        return add(stub, false, new long[] {value, va, 2, 3, 4, 5, 6, 7}, "%s %s".formatted(what, word(va)));
    }

    private Row add(int stub, boolean isNative, long[] x, String text) {
        Row row = new Row(stub, isNative, x, "%s: %s".formatted(section, text));
        rows.add(row);
        return row;
    }

    private static String words(long[] values) {
        return LongStream.of(values).mapToObj(Script::word).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String word(long value) {
        return isSlot(value) ? "$" + (value & ~SLOT_MASK) : "0x" + Long.toHexString(value);
    }

    int size() {
        return rows.size();
    }

    /** {@return the table as the guest reads it, of scripts one after the other} */
    static byte[] bytes(List<Script> scripts) {
        List<Row> rows = scripts.stream().flatMap(script -> script.rows.stream()).toList();
        ByteBuffer bytes = ByteBuffer.allocate((rows.size() + 1) * ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows.size(); i++) {
            rows.get(i).encode(bytes.slice(i * ROW_BYTES, ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN));
        }
        bytes.putInt(rows.size() * ROW_BYTES, END);
        return bytes.array();
    }

    /**
     * Reads the guest's verdicts.
     *
     * @param table rows of this script after the guest went through them
     * @return one line for each row that did not pass
     */
    List<String> failures(ByteBuffer table) {
        List<String> lines = new ArrayList<>();
        ByteBuffer bytes = table.slice().order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows.size(); i++) {
            long status = bytes.getLong(i * ROW_BYTES + 0xE0);
            long[] got = new long[REGISTERS];
            for (int x = 0; x < REGISTERS; x++) {
                got[x] = bytes.getLong(i * ROW_BYTES + 0xE8 + 8 * x);
            }
            if (status == 1 && rows.get(i).label != null) {
                String answer = rows.get(i).label.apply(got);
                answers.merge(answer, 1, Integer::sum);
                status = answer.isEmpty() ? 2 : 1;
            }
            if (status != (rows.get(i).returns ? 1 : 0)) {
                StringBuilder line = new StringBuilder("FAIL %s row %d, %s".formatted(form, i, rows.get(i).text));
                line.append(status == 0 ? ", did not return" : status == 1 ? ", returned"
                        : ", X%d is wrong, got".formatted(status >>> 8));
                for (int x = 0; x < REGISTERS && status > 1; x++) {
                    line.append(" 0x").append(Long.toHexString(got[x]));
                }
                lines.add(line.toString());
            }
        }
        return lines;
    }

    /** {@return how often each answer came where several may, after {@link #failures}} */
    Map<String, Integer> answers() {
        return answers;
    }

    /** One row; made by the methods of the script and refined by its own. */
    final class Row {
        private final int stub;
        private final boolean isNative;
        private final long[] x;
        private final String text;
        private final long[] expect;
        private final long[] mask = new long[REGISTERS];
        private final long[] saves = new long[4];
        private long attempts = 1;
        private boolean returns = true;
        /** Names what came where several answers may, empty for what may not; null when one is expected. */
        private Function<long[], String> label;

        private Row(int stub, boolean isNative, long[] x, String text) {
            this.stub = stub;
            this.isNative = isNative;
            this.x = x;
            this.text = text;
            expect = x.clone();
            Arrays.fill(mask, -1);
        }

        /** The results after X0, exactly. */
        Row gives(long... results) {
            System.arraycopy(results, 0, expect, 1, results.length);
            Arrays.fill(mask, 1, 1 + results.length, -1);
            return this;
        }

        /** X0, where it is no error. */
        Row answers(long value) {
            expect[0] = value;
            return this;
        }

        /** Which of these it answers depends on who is first; results are not looked at. */
        void oneOf(HypError... wanted) {
            Set<HypError> allowed = EnumSet.copyOf(List.of(wanted));
            Arrays.fill(mask, 0);
            label = got -> {
                HypError answer = HypError.of(got[0]);
                return allowed.contains(answer) ? answer.toString() : "";
            };
        }

        /** The bits of a register that count. */
        Row where(int register, long bits) {
            mask[register] = bits;
            return this;
        }

        /** Keeps X1 in a variable. {@return the variable} */
        long saved() {
            long slot = slot();
            savesIn(slot);
            return slot;
        }

        /** Keeps X1 in a variable. */
        void savesIn(long slot) {
            saves[0] = (slot & ~SLOT_MASK) + 1;
            mask[1] = 0;
        }

        /** Tried again until it is as expected, which takes its time. */
        Row eventually() {
            return within(Integer.MAX_VALUE);
        }

        /** Tried again until it is as expected, so many times. */
        Row within(int tries) {
            attempts = tries;
            return this;
        }

        /** The call does not come back. */
        void neverReturns() {
            returns = false;
        }

        private void encode(ByteBuffer bytes) {
            bytes.putInt(0x00, stub).putInt(0x04, isNative ? 1 : 0);
            int inSlots = put(bytes, 0x20, x);
            int expectSlots = put(bytes, 0x60, expect);
            bytes.putInt(0x08, inSlots).putInt(0x0C, expectSlots);
            bytes.putLong(0x10, saves[0] | saves[1] << 16 | saves[2] << 32 | saves[3] << 48);
            bytes.putLong(0x18, attempts);
            for (int i = 0; i < REGISTERS; i++) {
                bytes.putLong(0xA0 + 8 * i, mask[i]);
            }
        }

        private static int put(ByteBuffer bytes, int offset, long[] values) {
            int slotBits = 0;
            for (int i = 0; i < values.length; i++) {
                boolean slot = isSlot(values[i]);
                slotBits |= slot ? 1 << i : 0;
                bytes.putLong(offset + 8 * i, slot ? values[i] & ~SLOT_MASK : values[i]);
            }
            return slotBits;
        }
    }
}
