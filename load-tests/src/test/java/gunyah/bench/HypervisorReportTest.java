package gunyah.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Prints the table "Hypervisor" of docs/performance.md: {@code mvn -q verify -Pbench -pl load-tests -am}. Three rounds,
 * each on a machine of its own; the first warms the JVM up, and of each series the second half counts. Reports and does
 * not judge: speed depends on what else the host does.
 */
@Tag("bench")
class HypervisorReportTest {
    private static final int ROUNDS = 3;
    private static final int SAMPLES = 100_000;
    private static final int MESSAGES = 1_000_000;
    private static final int[][] QUEUES = {{8, 240}, {64, 240}, {64, 16}};

    @Test
    void table() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            try (BenchMachine machine = new BenchMachine(2)) {
                rows.clear();
                HypervisorBench bench = new HypervisorBench(machine);
                figures(bench).forEach(figure -> rows.add(figure.row()));
                int messages = round < ROUNDS - 1 ? MESSAGES / 10 : MESSAGES;
                for (int[] queue : QUEUES) {
                    for (boolean sleep : new boolean[] {false, true}) {
                        messages(bench, messages, queue[0], queue[1], sleep, rows);
                    }
                }
            }
        }
        Table.print(System.out, rows);
        assertThat(rows).isNotEmpty();
    }

    private static List<Figure> figures(HypervisorBench bench) {
        List<Figure> figures = new ArrayList<>(List.of(
                bench.emptySample(SAMPLES),
                bench.nullCall(SAMPLES, false),
                bench.nullCall(SAMPLES / 10, true),
                bench.nullSmccc(SAMPLES / 10),
                bench.doorbellCall(SAMPLES / 10),
                bench.emptyReceive(SAMPLES / 10),
                bench.doorbell(SAMPLES / 5, false),
                bench.doorbell(SAMPLES / 20, true),
                bench.vmmio(SAMPLES),
                bench.handOver(SAMPLES / 100)));
        for (int running = 0; running <= 2; running++) {
            figures.addAll(bench.mapping(SAMPLES / 5, running));
        }
        return figures;
    }

    private static void messages(HypervisorBench bench, int count, int depth, int size, boolean sleep,
            List<String> rows) {
        Figure figure = bench.messages(count, depth, size, sleep);
        rows.add(figure.row());
        rows.add("| messages of %d bytes, depth %d, %s | %,d /s | | %,d, none lost or reordered | >= 500,000 /s |"
                .formatted(size, depth, sleep ? "both sleep in WFI" : "both poll", Math.round(1e9 / figure.mean()),
                        count));
    }
}
