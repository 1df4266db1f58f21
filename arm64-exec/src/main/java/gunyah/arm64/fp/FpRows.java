package gunyah.arm64.fp;

import gunyah.arm64.decode.InstructionRow;
import java.util.List;

/** The SIMD and floating-point rows of the A64 table. */
public final class FpRows {
    public static final List<InstructionRow> ROWS = List.of();

    private FpRows() {
    }
}
