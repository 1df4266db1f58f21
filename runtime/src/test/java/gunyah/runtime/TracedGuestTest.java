package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trace of the built-in guest: every layer tells, and the numbers are those of the statistics. */
@Tag("guest")
class TracedGuestTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final ConfigParseOptions JSON = ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON);
    private static final String GUEST = "vm-128";

    @TempDir
    private Path directory;

    @Test
    void aRunOfTheBuiltinGuestIsTold() throws IOException {
        Path file = directory.resolve("t.jsonl");
        VmStatistics used = run(file);

        List<Config> lines;
        try (Stream<String> text = Files.lines(file)) {
            lines = text.map(line -> ConfigFactory.parseString(line, JSON)).toList();
        }
        assertThat(lines).allMatch(line -> line.hasPath("event") && line.getLong("t") >= 0);
        assertThat(lines.getLast().getString("event")).isEqualTo("end");
        assertThat(lines.getLast().getLong("dropped")).isZero();
        assertThat(lines.getLast().getLong("events")).isEqualTo(lines.size() - 1);
        List<Config> calls = of(lines, "hypercall", GUEST);
        assertThat(calls).hasSize((int) used.hypercalls());
        assertThat(calls).filteredOn(call -> call.getString("function").equals("0xc6008000")).singleElement()
                .satisfies(call -> assertThat(call.getString("name")).isEqualTo("hypervisor_identify"))
                .satisfies(call -> assertThat(call.getString("result")).endsWith("8001"));
        List<Config> faults = of(lines, "stage2-fault", GUEST);
        assertThat(faults).hasSize((int) used.stage2Faults());
        assertThat(faults).filteredOn(with("kind", "page-fault")).hasSizeGreaterThan(16384);
        assertThat(faults).filteredOn(with("kind", "vmmio")).hasSize((int) used.mmioExits());
        assertThat(of(lines, "virq", GUEST)).isNotEmpty();
        assertThat(of(lines, "wfi", GUEST)).isNotEmpty();
        assertThat(of(lines, "power", GUEST)).extracting(line -> line.getString("change")).startsWith("on")
                .contains("off");
        assertThat(of(lines, "vm-state", GUEST)).extracting(line -> line.getString("state"))
                .containsExactly("LOAD", "INIT", "READY", "RUNNING", "EXITED", "RESETTING", "RESET", "NONE");
        assertThat(of(lines, "rm-request", "vm-3")).filteredOn(with("message", "VM_START")).singleElement()
                .matches(with("target", GUEST)).matches(with("error", "OK"));
        assertThat(of(lines, "rm-notification", "vm-3")).filteredOn(with("message", "VM_EXITED")).hasSize(1);
        assertThat(of(lines, "launch", GUEST)).singleElement().matches(with("name", "traced"));
        assertThat(of(lines, "exit", GUEST)).singleElement().matches(with("kind", "off"));
    }

    private VmStatistics run(Path file) throws IOException {
        Path image = directory.resolve("builtin.img");
        try (InputStream resource = GunyahSystem.class.getResourceAsStream("/gunyah/guest/builtin.img")) {
            Files.copy(resource, image);
        }
        VmConfig config = new VmConfig("traced", 1, 128L << 20, Optional.of(image), Optional.empty(),
                Optional.empty(), "", Optional.empty(), true);
        try (GunyahSystem system = GunyahSystem.start(new MachineConfig(2, 512L << 20, 5_000_000),
                Optional.of(file))) {
            Vm vm = system.createVm(config);
            vm.awaitConsole("ready, type help", SOON);
            vm.type("off\r");
            assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            return vm.statistics();
        }
    }

    private static List<Config> of(List<Config> lines, String event, String vm) {
        return lines.stream().filter(with("event", event)).filter(with("vm", vm)).toList();
    }

    private static Predicate<Config> with(String field, String value) {
        return line -> line.hasPath(field) && line.getString(field).equals(value);
    }
}
