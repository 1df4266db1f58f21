package gunyah.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A table for docs/performance.md, with the machine it is from. */
final class Table {
    private Table() {
    }

    static void print(PrintStream out, List<String> rows) throws IOException {
        out.printf("%d x %s, JDK %s%n%n", Runtime.getRuntime().availableProcessors(), processor(),
                System.getProperty("java.version"));
        out.println("| what | median | p99.9 | samples | goal |");
        out.println("|---|---|---|---|---|");
        rows.forEach(out::println);
    }

    private static String processor() throws IOException {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        if (!Files.exists(cpuinfo)) {
            return System.getProperty("os.arch");
        }
        try (var lines = Files.lines(cpuinfo)) {
            return lines.filter(line -> line.startsWith("model name")).findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse(System.getProperty("os.arch"));
        }
    }
}
