package gunyah.hyp;

import java.util.List;

/** The rows of the table that dispatches the calls, for tests in other packages. */
public final class HypercallRows {
    private HypercallRows() {
    }

    /** {@return all of them; they cannot be called} */
    public static List<HypercallRow> all() {
        return Hypervisor.groups(null, null, null, null).stream().flatMap(List::stream).toList();
    }
}
