package gunyah.report;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.report.Plot.Line;
import gunyah.report.Plot.Panel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The plots of docs/performance.md show its tables; {@code -Dgunyah.docs.write=true} draws them anew. */
class PlotsTest {
    private static final Path DOCS = Path.of(System.getProperty("gunyah.root")).resolve("docs");

    /** A table of the page. */
    private record Table(List<String> columns, List<List<String>> rows) {
        static Table of(String header) throws IOException {
            List<String> lines = Files.readAllLines(DOCS.resolve("performance.md"));
            int at = lines.indexOf(header);
            assertThat(at).as("the table " + header).isNotNegative();
            return new Table(cells(header), lines.subList(at + 2, lines.size()).stream()
                    .takeWhile(line -> line.startsWith("|")).map(Table::cells).toList());
        }

        private static List<String> cells(String line) {
            return Arrays.stream(line.split("\\|")).skip(1).map(String::strip).toList();
        }

        private List<Double> numbers(String column) {
            int at = columns.indexOf(column);
            return rows.stream().map(row -> Double.valueOf(row.get(at))).toList();
        }

        Line line(String across, String up) {
            return new Line(up, numbers(across), numbers(up));
        }
    }

    @Test
    void costsGrowAsTheTablesSay() throws IOException {
        Table cpus = Table.of("| CPUs | interpreted | translated |");
        String length = "instructions";
        Table regions = Table.of("| instructions | ms | KiB of machine code | KiB of metaspace | KiB for an instruction |");

        check("costs.svg", List.of(
                new Panel("ns of an instruction", "CPUs at once", List.of(cpus.line("CPUs", "interpreted"),
                        cpus.line("CPUs", "translated"))),
                new Panel("ms until a region is compiled", "its instructions", List.of(regions.line(length, "ms"))),
                new Panel("KiB of a region", "its instructions", List.of(regions.line(length, "KiB of machine code"),
                        regions.line(length, "KiB of metaspace")))));
    }

    @Test
    void guestsThatComeAndGoLeaveWhatTheTableSays() throws IOException {
        Table churn = Table.of("| minutes | code cache MiB | metaspace MiB | classes | unloaded | regions made | evicted |");

        check("churn.svg", List.of(
                new Panel("MiB in use after a round", "minutes", List.of(churn.line("minutes", "code cache MiB"),
                        churn.line("minutes", "metaspace MiB"))),
                new Panel("regions and classes", "minutes", List.of(churn.line("minutes", "regions made"),
                        churn.line("minutes", "evicted"), churn.line("minutes", "unloaded")))));
    }

    private static void check(String name, List<Panel> panels) throws IOException {
        Path file = DOCS.resolve(name);
        String svg = Plot.svg(panels);
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(file, svg);
        }
        assertThat(Files.readString(file)).as("%s; write it with -Dgunyah.docs.write=true", name).isEqualTo(svg);
        assertThat(Files.readString(DOCS.resolve("performance.md"))).contains("(" + name + ")");
    }
}
