package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import java.util.ArrayList;
import java.util.List;

/** The last exits of a vCPU, for crash reports. Written by its thread without allocation; readers may see a torn row. */
final class ExitLog {
    private static final int SIZE = 16;

    private final CpuExit.Kind[] kinds = new CpuExit.Kind[SIZE];
    private final long[] pcs = new long[SIZE];
    private final long[] details = new long[SIZE];
    private int next;

    void add(CpuExit.Kind kind, long pc, long detail) {
        int at = next & SIZE - 1;
        kinds[at] = kind;
        pcs[at] = pc;
        details[at] = detail;
        next++;
    }

    /** {@return one line per exit, oldest first} */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        int end = next;
        for (int i = Math.max(end - SIZE, 0); i < end; i++) {
            int at = i & SIZE - 1;
            lines.add("%s pc=0x%x 0x%x".formatted(kinds[at], pcs[at], details[at]));
        }
        return lines;
    }
}
