package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.util.Statistics;

/**
 * Prints the table "Micro-benchmarks" of docs/performance.md: {@code mvn -q test -Pbench -pl actors-hypervisor -am}.
 * Reports and does not judge: speed depends on what else the host does.
 */
@Tag("bench")
class MicroBenchmarksTest {
    private record Row(double mean, double error, double median, double p999) {
    }

    @Test
    void table() throws RunnerException {
        Map<String, Row> rows = new TreeMap<>();
        for (RunResult result : new Runner(new OptionsBuilder().include("gunyah\\.hyp\\..*Benchmark").build()).run()) {
            String name = result.getParams().getBenchmark().replaceFirst("gunyah\\.hyp\\.(vic\\.)?", "");
            Statistics all = result.getPrimaryResult().getStatistics();
            Row old = rows.getOrDefault(name, new Row(0, 0, 0, 0));
            rows.put(name, result.getParams().getMode() == Mode.AverageTime
                    ? new Row(all.getMean(), all.getMeanErrorAt(0.99), old.median, old.p999)
                    : new Row(old.mean, old.error, all.getPercentile(50), all.getPercentile(99.9)));
        }
        System.out.println("| what | mean, ns | median of single calls, ns | p99.9, ns |");
        System.out.println("|---|---|---|---|");
        rows.forEach((name, row) -> System.out.printf("| %s | %.0f +- %.0f | %.0f | %.0f |%n", name, row.mean, row.error,
                row.median, row.p999));
        assertThat(rows).hasSize(6);
    }
}
