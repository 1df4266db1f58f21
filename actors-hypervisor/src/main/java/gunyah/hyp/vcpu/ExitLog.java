package gunyah.hyp.vcpu;

import gunyah.arm64.state.CpuExit;
import java.util.ArrayList;
import java.util.List;

/**
 * The last exits of a vCPU, for crash reports; equal ones in a row take one row, so that a loop does not hide what came
 * before. Written by its thread without allocation; readers may see a torn row.
 */
final class ExitLog {
    private static final int SIZE = 16;

    private final CpuExit.Kind[] kinds = new CpuExit.Kind[SIZE];
    private final long[] pcs = new long[SIZE];
    private final long[] details = new long[SIZE];
    private final int[] times = new int[SIZE];
    private int next;

    void add(CpuExit.Kind kind, long pc, long detail) {
        int last = next - 1 & SIZE - 1;
        if (kinds[last] == kind && pcs[last] == pc && details[last] == detail) {
            times[last]++;
            return;
        }
        int at = next & SIZE - 1;
        kinds[at] = kind;
        pcs[at] = pc;
        details[at] = detail;
        times[at] = 1;
        next++;
    }

    /** {@return one line per exit, oldest first} */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        int end = next;
        for (int i = Math.max(end - SIZE, 0); i < end; i++) {
            int at = i & SIZE - 1;
            String line = "%s pc=0x%x 0x%x".formatted(kinds[at], pcs[at], details[at]);
            lines.add(times[at] == 1 ? line : line + ", %d times".formatted(times[at]));
        }
        return lines;
    }
}
