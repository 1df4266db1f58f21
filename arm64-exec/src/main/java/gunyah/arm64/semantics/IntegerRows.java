package gunyah.arm64.semantics;

import gunyah.arm64.decode.InstructionRow;
import java.util.List;
import java.util.stream.Stream;

/** All rows of the A64 base instruction set, group by group in the manual's order. */
public final class IntegerRows {
    private IntegerRows() {
    }

    /** {@return the rows; the list is made anew} */
    public static List<InstructionRow> rows() {
        return Stream.of(AddSub.ROWS, Logical.ROWS, MoveAndBitfield.ROWS, Branches.ROWS, SystemGroup.ROWS,
                LoadStore.ROWS, LoadStorePair.ROWS, Exclusive.ROWS, LoadAcquireUnscaled.ROWS, Atomic.ROWS,
                DataProcessing.ROWS, Conditional.ROWS, PointerAuth.ROWS).flatMap(List::stream).toList();
    }
}
