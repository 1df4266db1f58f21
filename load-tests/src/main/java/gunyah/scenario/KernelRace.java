package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.load.KernelGuest;
import gunyah.load.KernelGuest.Cost;
import gunyah.report.Report;
import gunyah.report.Spread;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/**
 * The same image of small programs on our machine and on QEMU (TCG), by turns, kernel by kernel: CPU time of the thread
 * that runs the guest, and of the whole process. The first rounds warm up, and our compilers go on meanwhile; ratios are
 * medians of the others, each of two runs side by side.
 */
public final class KernelRace implements Scenario {
    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5", description = "measured rounds (default 5)")
    private int rounds;

    @Option(names = "--warm-up", paramLabel = "N", defaultValue = "3", description = "rounds before them (default 3)")
    private int warmUp;

    @Option(names = "--engine", paramLabel = "ENGINE", defaultValue = "translate", converter = EngineName.class,
            description = "of our machine (default translate)")
    private String engine;

    @Option(names = "--only", paramLabel = "NAME,...", split = ",", description = "these kernels only")
    private List<String> only = List.of();

    @Option(names = "--qemu", paramLabel = "COMMAND", defaultValue = "qemu-system-aarch64",
            description = "what to race against (default qemu-system-aarch64)")
    private String qemu;

    /** Of one kernel. */
    private static final class Row {
        private final double[] ratios;
        private final double[] ours;
        private final double[] all;
        private final double[] theirs;
        private double first;

        private Row(int rounds) {
            ratios = new double[rounds];
            ours = new double[rounds];
            all = new double[rounds];
            theirs = new double[rounds];
        }

        private void add(int round, Cost our, Cost their) {
            ours[round] = our.guestNs() / 1e6;
            all[round] = our.allNs() / 1e6;
            theirs[round] = their.guestNs() / 1e6;
            ratios[round] = (double) their.guestNs() / our.guestNs();
        }

        private List<Object> cells(String name) {
            Spread ratio = Spread.of(ratios);
            return List.of(name, first, Spread.of(ours).median(), Spread.of(all).median(),
                    Spread.of(theirs).median(), ratio.median(), ratio.lowest(), ratio.highest());
        }
    }

    @Override
    public String name() {
        return "kernels";
    }

    @Override
    public String description() {
        return "Small programs on our machine beside QEMU, CPU time of each; needs qemu-system-aarch64.";
    }

    @Override
    public Report run() {
        if (rounds < 1 || rounds > 1000 || warmUp < 0 || warmUp > 1000) {
            throw new BadInput("give 1 to 1000 rounds");
        }
        Path image = image();
        try (KernelGuest our = new KernelGuest(List.of(Path.of(System.getProperty("gunyah.root"), "gunyah").toString(),
                        "run", "--kernel", image.toString(), "--mem", "256M", "--engine", engine));
                KernelGuest their = new KernelGuest(List.of(qemu, "-M", "virt,gic-version=3", "-cpu", "neoverse-n1",
                        "-smp", "2", "-m", "256", "-net", "none", "-nographic", "-kernel", image.toString()))) {
            return race(our, their);
        } finally {
            image.toFile().delete();
        }
    }

    private Report race(KernelGuest our, KernelGuest their) {
        Map<String, Row> rows = new LinkedHashMap<>();
        List<String> kernels = our.kernels();
        for (int round = -warmUp; round < rounds; round++) {
            for (int i = 0; i < kernels.size(); i++) {
                String kernel = kernels.get(i);
                if (!only.isEmpty() && !only.contains(kernel)) {
                    continue;
                }
                Cost ours = our.run(i, round >= 0);
                Cost theirs = their.run(i, true);
                if (!ours.checksum().equals(theirs.checksum())) {
                    throw new IllegalStateException("%s: %s here, %s on QEMU".formatted(kernel, ours, theirs));
                }
                Row row = rows.computeIfAbsent(kernel, name -> new Row(rounds));
                if (round == -warmUp) {
                    row.first = ours.guestNs() / 1e6;
                }
                if (round >= 0) {
                    row.add(round, ours, theirs);
                }
            }
        }
        return report(rows);
    }

    private Report report(Map<String, Row> rows) {
        List<List<Object>> cells = new ArrayList<>();
        List<Double> medians = new ArrayList<>();
        for (Map.Entry<String, Row> row : rows.entrySet()) {
            cells.add(row.getValue().cells(row.getKey()));
            medians.add(Spread.of(row.getValue().ratios).median());
        }
        return new Report(name(), Map.of("engine", engine, "rounds", rounds + ""), List.of("kernel", "first_ms",
                "gunyah_ms", "gunyah_all_ms", "qemu_ms", "ratio", "lowest", "highest"), cells, Ratios.figures(medians));
    }

    private static Path image() {
        try (InputStream resource = KernelGuest.class.getResourceAsStream("kernels.elf")) {
            Path file = Files.createTempFile("kernels", ".elf");
            Files.copy(resource, file, StandardCopyOption.REPLACE_EXISTING);
            return file;
        } catch (IOException e) {
            throw new BadInput("cannot write the image", e);
        }
    }
}
