package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.Scenario;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/conformance.md is the list of scenarios with the tests that carry their numbers. Those tests run in every build,
 * so what is named there passes. {@code -Dgunyah.docs.write=true} writes the page.
 */
class ConformancePageTest {
    private static final int SCENARIOS = 142;

    private static Path root() {
        return Path.of(System.getProperty("gunyah.root", ".."));
    }

    private static List<Class<?>> testClasses() throws IOException {
        Path sources = root().resolve("actors-vmm/src/test/java");
        List<Class<?>> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file : files.filter(path -> path.toString().endsWith("Test.java")).sorted().toList()) {
                String name = sources.relativize(file).toString().replace('/', '.').replaceAll("\\.java$", "");
                classes.add(Class.forName(name));
            }
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
        return classes;
    }

    private static TreeMap<Integer, Set<String>> shown() throws IOException {
        TreeMap<Integer, Set<String>> shown = new TreeMap<>();
        for (Class<?> type : testClasses()) {
            boolean real = ScenarioTest.class.isAssignableFrom(type);
            for (Method method : type.getDeclaredMethods()) {
                Scenario scenario = method.getAnnotation(Scenario.class);
                for (int number : scenario == null ? new int[0] : scenario.value()) {
                    shown.computeIfAbsent(number, key -> new TreeSet<>()).add("`%s.%s`%s".formatted(
                            type.getSimpleName(), method.getName(), real ? "" : " (alone)"));
                }
            }
        }
        return shown;
    }

    private static List<String> scenarios() throws IOException {
        try (InputStream in = ConformancePageTest.class.getResourceAsStream("scenarios.txt")) {
            return Arrays.stream(new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n"))
                    .filter(line -> !line.startsWith("#")).toList();
        }
    }

    private static String page() throws IOException {
        TreeMap<Integer, Set<String>> shown = shown();
        StringBuilder text = new StringBuilder("""
                # Conformance of the host driver

                Written by `ConformancePageTest`; do not edit. The scenarios are those of the Linux v17 driver, its defects
                left out. The tests drive the byte-level interface (`gunyah.vmm.uapi`) on the real hypervisor and Resource
                Manager with a real guest; "(alone)" marks what only a peer that misbehaves can show: the driver's part is
                tested alone there. All of them run in every build.
                """);
        for (String line : scenarios()) {
            if (!Character.isDigit(line.charAt(0))) {
                text.append("%n## %s%n%n| number | scenario | test |%n|---|---|---|%n".formatted(line));
                continue;
            }
            int space = line.indexOf(' ');
            int number = Integer.parseInt(line.substring(0, space));
            text.append("| %d | %s | %s |%n".formatted(number, line.substring(space + 1),
                    String.join(", ", shown.get(number))));
        }
        return text.toString();
    }

    @Test
    void everyScenarioIsShown() throws IOException {
        TreeMap<Integer, Set<String>> all = shown();
        assertThat(all).hasSize(SCENARIOS);
        assertThat(all.firstKey()).isEqualTo(1);
        assertThat(all.lastKey()).isEqualTo(SCENARIOS);
    }

    @Test
    void thePageIsWhatTheTestsSay() throws IOException {
        Path page = root().resolve("docs/conformance.md");
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(page, page());
        }
        assertThat(Files.readString(page)).isEqualTo(page());
    }
}
