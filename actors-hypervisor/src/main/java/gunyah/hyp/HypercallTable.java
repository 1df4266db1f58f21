package gunyah.hyp;

import gunyah.hyp.cspace.CSpace;
import java.util.List;

/**
 * The one dispatcher of hypercalls, for guests, the Resource Manager and the Java host alike: looks up the row, checks
 * reserved registers and capabilities in the documented order, calls the handler and shapes the results (Gunyah API
 * "AArch64 HVC ABI", tools/hypercalls). Immutable, any thread, no allocation.
 */
public final class HypercallTable {
    private static final int REGISTERS = 8;

    private final HypercallRow[] rows = new HypercallRow[HypercallRow.TABLE_SIZE];

    /** @throws IllegalArgumentException when two rows have the same number */
    public HypercallTable(List<List<HypercallRow>> groups) {
        for (List<HypercallRow> group : groups) {
            for (HypercallRow row : group) {
                HypercallRow other = rows[row.number()];
                if (other != null) {
                    throw new IllegalArgumentException("hypercall 0x%x is both %s and %s"
                            .formatted(row.number(), other.name(), row.name()));
                }
                rows[row.number()] = row;
            }
        }
    }

    /** {@return the row, or null for a hole} */
    public HypercallRow row(int number) {
        return number >= 0 && number < rows.length ? rows[number] : null;
    }

    /**
     * The native convention: inputs and results in {@code x[0..7]}, unused results zeroed, X0 = -1 for a hole.
     *
     * @param number {@code hvc} immediate - 0x6000
     */
    public void call(Caller caller, int number, long[] x) {
        HypercallRow row = row(number);
        if (row == null) {
            x[0] = -1;
            clear(x, 1);
            return;
        }
        HypError error = run(row, caller, x, true);
        x[0] = error == HypError.OK ? row.successX0() : error.code();
        clear(x, row.results() + 1);
    }

    /**
     * The SMCCC convention of the same table: inputs in {@code x[1..7]}, results from {@code x[0]}, every other
     * register kept, reserved inputs not looked at.
     *
     * @return false for a hole, with nothing changed
     */
    boolean callShifted(Caller caller, int number, long[] x) {
        HypercallRow row = row(number);
        if (row == null) {
            return false;
        }
        // locals, not an array: the call must not allocate and may be entered again on this thread
        long x2 = x[2];
        long x3 = x[3];
        long x4 = x[4];
        long x5 = x[5];
        long x6 = x[6];
        long x7 = x[7];
        long x1 = x[1];
        x[0] = x1;
        x[1] = x2;
        x[2] = x3;
        x[3] = x4;
        x[4] = x5;
        x[5] = x6;
        x[6] = x7;
        x[7] = 0;
        HypError error = run(row, caller, x, false);
        x[0] = error == HypError.OK ? row.successX0() : error.code();
        int results = row.results();
        x[1] = results >= 1 ? x[1] : x1;
        x[2] = results >= 2 ? x[2] : x2;
        x[3] = results >= 3 ? x[3] : x3;
        x[4] = results >= 4 ? x[4] : x4;
        x[5] = results >= 5 ? x[5] : x5;
        x[6] = results >= 6 ? x[6] : x6;
        x[7] = results >= 7 ? x[7] : x7;
        return true;
    }

    private static HypError run(HypercallRow row, Caller caller, long[] x, boolean checkReserved) {
        List<HypercallArgument> arguments = row.arguments();
        HypError error = narrow(arguments, x, checkReserved);
        KernelObject first = null;
        KernelObject second = null;
        CSpace cspace = caller.cspace();
        for (int i = 0; error == HypError.OK && i < arguments.size(); i++) {
            HypercallArgument argument = arguments.get(i);
            if (argument.kind() != HypercallArgument.Kind.CAPABILITY) {
                continue;
            }
            CapResult found = cspace.resolve(x[i], argument.type(), argument.rights(), argument.state());
            if (found instanceof HypError stopped) {
                error = stopped;
            } else if (first == null) {
                first = (KernelObject) found;
            } else {
                second = (KernelObject) found;
            }
        }
        try {
            if (error == HypError.OK) {
                error = row.handler().call(caller, first, second, x);
                if (error == HypError.OK || row.keepResults()) {
                    return error;
                }
            }
        } finally {
            if (second != null) {
                second.release();
            }
            if (first != null) {
                first.release();
            }
        }
        for (int i = 1; i <= row.results(); i++) {
            x[i] = row.errorResult();
        }
        return error;
    }

    private static HypError narrow(List<HypercallArgument> arguments, long[] x, boolean checkReserved) {
        HypError error = HypError.OK;
        for (int i = 0; i < arguments.size(); i++) {
            switch (arguments.get(i).kind()) {
                case VALUE, CAPABILITY -> { }
                case U16 -> x[i] &= 0xFFFFL;
                case U32 -> x[i] &= 0xFFFF_FFFFL;
                case RES0 -> error = checkReserved && x[i] != 0 ? HypError.ARGUMENT_INVALID : error;
                case RES1 -> error = checkReserved && x[i] != -1 ? HypError.ARGUMENT_INVALID : error;
            }
        }
        return error;
    }

    private static void clear(long[] x, int from) {
        for (int i = from; i < REGISTERS; i++) {
            x[i] = 0;
        }
    }
}
