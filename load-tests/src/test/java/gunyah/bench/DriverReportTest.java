package gunyah.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Prints the table "Host driver" of docs/performance.md: {@code mvn -q verify -Pbench -pl load-tests -am}. Rounds and
 * judgement as {@link HypervisorReportTest}: the last round counts.
 */
@Tag("bench")
class DriverReportTest {
    private static final int ROUNDS = 3;
    private static final int PAGES = 16_384;
    private static final int BLOCKS = 64;
    private static final int EXITS = 50_000;

    @Test
    void table() throws IOException {
        List<String> rows = new ArrayList<>();
        try (DriverMachine machine = new DriverMachine(2)) {
            DriverBench bench = new DriverBench(machine.device());
            for (int round = 0; round < ROUNDS; round++) {
                rows.clear();
                for (boolean lend : new boolean[] {true, false}) {
                    faults(bench.faults(PAGES, lend, false), DriverBench.PAGE, rows);
                    faults(bench.faults(BLOCKS, lend, true), DriverBench.BLOCK, rows);
                }
                rows.add(bench.mmio(EXITS).row());
                rows.add(bench.ioEvent(EXITS).row());
                rows.add(bench.interrupt(EXITS, false).row());
                rows.add(bench.interrupt(EXITS / 5, true).row());
            }
        }
        Table.print(System.out, rows);
        assertThat(rows).isNotEmpty();
    }

    /** By the mean, since what is rare and long counts, too. */
    private static void faults(Figure figure, int folio, List<String> rows) {
        rows.add(figure.row());
        rows.add("| the same, by the second | %,d /s, %,d MiB/s | | %,d | |".formatted(Math.round(1e9 / figure.mean()),
                Math.round(1e9 / figure.mean() * folio / (1 << 20)), figure.count()));
    }
}
