package gunyah.arm64.translate;

import gunyah.arm64.disasm.Disassembler;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/** What a translator did, for people: out of its log, out of a directory of kept code, and one region in full. */
public final class RegionReport {
    private static final Pattern REGION = Pattern.compile(
            " *([0-9.]+) region at \\d+: (\\d+) instructions, (\\d+) bytes of bytecode, ([0-9.]+) ms, "
                    + ".* called \\[(.*)]");
    private static final Pattern HOPELESS = Pattern.compile(" *[0-9.]+ hopeless .*");
    /** The last lines of a log: what the translator, the interpreter and the kept code counted. */
    private static final Pattern TOTAL = Pattern.compile(
            " *[0-9.]+ (Statistics.*|.* instructions in regions .*|lock-step.*)");
    private static final int MOST_CALLED = 12;

    private RegionReport() {
    }

    /**
     * {@return the report of a file or directory, by lines}
     *
     * @throws IOException when it cannot be read, or is neither log, nor region, nor directory of regions
     */
    public static List<String> of(Path what) throws IOException {
        if (Files.isDirectory(what)) {
            return directory(what);
        }
        boolean isRegion = what.toString().endsWith(CodeCache.SUFFIX);
        return isRegion ? region(CodeCache.decode(Files.readAllBytes(what))) : log(what);
    }

    private static List<String> log(Path file) throws IOException {
        List<Integer> sizes = new ArrayList<>();
        List<Integer> bytes = new ArrayList<>();
        List<Integer> tenths = new ArrayList<>();
        Map<String, Integer> called = new TreeMap<>();
        List<String> totals = new ArrayList<>();
        int hopeless = 0;
        for (String line : Files.readAllLines(file)) {
            Matcher region = REGION.matcher(line);
            Matcher total = TOTAL.matcher(line);
            if (region.matches()) {
                sizes.add(Integer.parseInt(region.group(2)));
                bytes.add(Integer.parseInt(region.group(3)));
                tenths.add((int) (Double.parseDouble(region.group(4)) * 10));
                Arrays.stream(region.group(5).split(", ")).filter(each -> !each.isEmpty())
                        .forEach(each -> called.merge(each, 1, Integer::sum));
            } else if (total.matches()) {
                totals.add(total.group(1));
            } else if (HOPELESS.matcher(line).matches()) {
                hopeless++;
            }
        }
        if (sizes.isEmpty() && totals.isEmpty()) {
            throw new IOException("no log of the translator");
        }
        List<String> report = new ArrayList<>();
        report.add("%d regions, %d that the JVM did not compile".formatted(sizes.size(), hopeless));
        report.add("%-22s %10s %8s %8s %8s".formatted("of a region", "sum", "median", "90 %", "most"));
        report.add(distribution("instructions", sizes, 1));
        report.add(distribution("bytes of bytecode", bytes, 1));
        report.add(distribution("ms until compiled", tenths, 10));
        report.add("called, not in line (regions): " + called.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed()).limit(MOST_CALLED)
                .map(each -> each.getKey() + " " + each.getValue()).toList());
        report.addAll(totals);
        return report;
    }

    private static String distribution(String name, List<Integer> values, int scale) {
        if (values.isEmpty()) {
            return name + ": none";
        }
        List<Integer> sorted = values.stream().sorted().toList();
        double sum = values.stream().mapToLong(Integer::longValue).sum();
        int last = sorted.size() - 1;
        return "%-22s %10.0f %8.1f %8.1f %8.1f".formatted(name, sum / scale, (double) sorted.get(last / 2) / scale,
                (double) sorted.get(last * 9 / 10) / scale, (double) sorted.get(last) / scale);
    }

    private static List<String> directory(Path directory) throws IOException {
        List<String> report = new ArrayList<>();
        int regions = 0;
        int instructions = 0;
        long bytes = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(each -> each.toString().endsWith(CodeCache.SUFFIX)).sorted().toList()) {
                try {
                    RegionCode code = CodeCache.decode(Files.readAllBytes(file));
                    regions++;
                    instructions += code.slots().length;
                    bytes += Files.size(file);
                    report.add(("%s: at offset 0x%x of a page, %d instructions, %d bytes of bytecode, %d entries, "
                            + "calls %s").formatted(file.getFileName(), 4 * code.first(), code.slots().length, code.codeBytes(),
                                    code.entries().length, code.called()));
                } catch (IOException e) {
                    report.add("%s: %s".formatted(file.getFileName(), e.getMessage()));
                }
            }
        }
        report.add("%d regions, %d instructions, %d KiB".formatted(regions, instructions, bytes >> 10));
        return report;
    }

    /** Guest code, then the bytecode that was made of it. */
    private static List<String> region(RegionCode code) throws IOException {
        List<String> report = new ArrayList<>();
        report.add("%d instructions, made for offset 0x%x; entries are marked".formatted(code.slots().length,
                4 * code.first()));
        for (int i = 0; i < code.slots().length; i++) {
            int slot = code.slots()[i];
            boolean entry = Arrays.binarySearch(code.entries(), slot) >= 0;
            report.add("%s %03x: %08x  %s".formatted(entry ? ">" : " ", 4 * slot, code.words()[i],
                    Disassembler.text(code.words()[i], 4L * slot)));
        }
        Path file = Files.createTempFile("region", ".class");
        try {
            Files.write(file, code.bytes());
            StringWriter text = new StringWriter();
            PrintWriter out = new PrintWriter(text);
            ToolProvider.findFirst("javap").orElseThrow(() -> new IOException("this JDK has no javap"))
                    .run(out, out, "-c", "-p", file.toString());
            report.addAll(text.toString().lines().toList());
        } finally {
            Files.delete(file);
        }
        return report;
    }
}
