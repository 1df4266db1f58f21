package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.config.VmConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class VmTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private final ScriptedMachine machine = new ScriptedMachine(Map.of("uname", "Linux"));
    private final GunyahSystem system = machine.system();

    private static VmConfig config(String name, String kernel) {
        return new VmConfig(name, 1, 64L << 20, Optional.of(Path.of(kernel)), Optional.empty(), Optional.empty(), "",
                Optional.empty(), true);
    }

    @Test
    void aDialogueEndsWithThePowerOff() {
        Vm vm = system.createVm(config("a", "k"));

        vm.awaitConsole("> ", SOON);
        vm.type("uname\r");
        assertThat(vm.awaitConsole(Pattern.compile("(Lin\\w+)"), SOON).group(1)).isEqualTo("Linux");
        assertThat(vm.statistics().exit()).isEqualTo("running");
        vm.type("off\r");

        assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        VmStatistics used = vm.statistics();
        assertThat(used.exit()).isEqualTo("off");
        assertThat(used.pagesReturned()).isEqualTo(used.pagesLent());
    }

    @Test
    void whatWasNotSeenIsShownWithTheLastOutput() {
        Vm vm = system.createVm(config("a", "k"));

        assertThatThrownBy(() -> vm.awaitConsole("login:", Duration.ofMillis(1))).isInstanceOf(Vm.NotSeen.class)
                .hasMessageContaining("login:").hasMessageContaining("hello from a").hasMessageContaining("vcpu 0");
    }

    @Test
    void aBadKernelFailsTheCreationAndLeavesTheNameFree() {
        assertThatThrownBy(() -> system.createVm(config("a", "bad"))).isInstanceOf(BadInput.class)
                .hasMessage("kernel bad: it is bad");
        assertThat(system.createVm(config("a", "k")).name()).isEqualTo("a");
    }

    @Test
    void aNameIsTakenOnce() {
        system.createVm(config("a", "k"));

        assertThatThrownBy(() -> system.createVm(config("a", "k"))).isInstanceOf(BadInput.class)
                .hasMessageContaining("'a' already");
    }

    @Test
    void closingStopsEveryVm() {
        Vm vm = system.createVm(config("a", "k"));

        system.close();

        assertThat(vm.awaitExit(SOON).kind()).isEqualTo(VmOutcome.Kind.STOPPED);
    }

    @Test
    void statisticsHaveTheFieldsThatScriptsRead() {
        VmStatistics statistics = new VmStatistics("a\"b\\\n", "off", 921_000_000L, 9.5, 9.25, 10, 20, 30, 40, 50, 50);

        assertThat(statistics.json()).isEqualTo("{\"vm\":\"a\\\"b\\\\\\u000a\",\"exit\":\"off\","
                + "\"instructions\":921000000,\"wallSeconds\":9.500,\"cpuSeconds\":9.250,\"stage2Faults\":10,"
                + "\"hypercalls\":20,\"mmioExits\":30,\"virqs\":40,\"pagesLent\":50,\"pagesReturned\":50}");
    }
}
