package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import gunyah.runtime.VmStatistics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Debian's unmodified kernels from the first message to a shell that computes the right answers, and off again. */
@Tag("boot")
class DebianBootTest {
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final Duration COMMAND = Duration.ofMinutes(5);
    private static final String PROMPT = "/root # ";
    /** SHA-256 of 32 MiB of zeros. */
    private static final String DIGEST = "83ee47245398adee79bd9c0a8bc57b821e92aba10f5f9ade8a5d1fae4d8c4302";

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void debian61ReachesAShellOnEachNumberOfVcpus(int cpus) {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, cpus, "cryptomgr.notests earlycon"));

            awaitMilestones(vm, "6.1", cpus);
            exercise(vm, "6.1", cpus);
            powerOff(vm);
        }
    }

    @Test
    void debian61PassesItsCryptoSelfTests() {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, ""));

            vm.awaitConsole(PROMPT, BOOT);
            assertThat(vm.console().text()).contains("alg: self-tests for")
                    .doesNotContain("self-tests disabled", "test failed");
            powerOff(vm);
        }
    }

    @ParameterizedTest
    @CsvSource({Guests.KERNEL_6_12 + ", 6.12, 1", Guests.KERNEL_6_12 + ", 6.12, 2", Guests.KERNEL_6_12 + ", 6.12, 4",
        Guests.KERNEL_GENERIC + ", 6.1, 1", Guests.KERNEL_GENERIC + ", 6.1, 2", Guests.KERNEL_GENERIC + ", 6.1, 4",
        Guests.KERNEL_RT + ", 6.1, 1", Guests.KERNEL_RT + ", 6.1, 2", Guests.KERNEL_RT + ", 6.1, 4"})
    void otherKernelsReachAShell(String kernel, String version, int cpus) {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", kernel, cpus, "cryptomgr.notests"));

            vm.awaitConsole("Linux version " + version, BOOT);
            exercise(vm, version, cpus);
            powerOff(vm);
        }
    }

    @Test
    void fourDebiansAtOnceAllReachTheShell() {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(4))) {
            List<Vm> vms = new ArrayList<>();
            for (int i = 1; i <= 4; i++) {
                vms.add(system.createVm(Guests.linux("debian-" + i, Guests.KERNEL_6_1, 1, "cryptomgr.notests")));
            }

            for (Vm vm : vms) {
                vm.awaitConsole(PROMPT, BOOT.multipliedBy(2));
                vm.type("echo I am $((6*7)) " + vm.name() + "\n");
            }
            for (Vm vm : vms) {
                vm.awaitConsole("I am 42 " + vm.name(), COMMAND);
                powerOff(vm);
            }
        }
    }

    @Test
    void twoSystemsLiveInOneProcess() {
        try (GunyahSystem first = GunyahSystem.start(Guests.machine(1));
                GunyahSystem second = GunyahSystem.start(Guests.machine(1))) {
            Vm one = first.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests"));
            Vm two = second.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests"));

            one.awaitConsole(PROMPT, BOOT.multipliedBy(2));
            two.awaitConsole(PROMPT, BOOT);
            powerOff(one);
            powerOff(two);
        }
    }

    private static void awaitMilestones(Vm vm, String version, int cpus) {
        vm.awaitConsole("Booting Linux on physical CPU", BOOT);
        vm.awaitConsole("Linux version " + version, BOOT);
        vm.awaitConsole("Machine model:", BOOT);
        vm.awaitConsole("earlycon:", BOOT);
        vm.awaitConsole("psci: PSCIv1.1 detected in firmware", BOOT);
        vm.awaitConsole(Pattern.compile("GICv3: \\d+ SPIs implemented"), BOOT);
        vm.awaitConsole("GICv3: CPU0: found redistributor", BOOT);
        vm.awaitConsole(Pattern.compile("arch_timer: cp15 timer\\(s\\) running at 62\\.50MHz \\(virt\\)"), BOOT);
        for (int cpu = 1; cpu < cpus; cpu++) {
            vm.awaitConsole("CPU%d: Booted secondary processor".formatted(cpu), BOOT);
        }
        vm.awaitConsole("smp: Brought up 1 node, %d CPU%s".formatted(cpus, cpus == 1 ? "" : "s"), BOOT);
        vm.awaitConsole("printk: console [ttyAMA0] enabled", BOOT);
        vm.awaitConsole("Freeing initrd memory", BOOT);
        vm.awaitConsole("Freeing unused kernel memory", BOOT);
        vm.awaitConsole("Run /init as init process", BOOT);
    }

    private static void exercise(Vm vm, String version, int cpus) {
        vm.awaitConsole(PROMPT, BOOT);
        command(vm, "uname -a", "Linux gunyah " + version);
        command(vm, "grep -c ^processor /proc/cpuinfo", "\r\n" + cpus + "\r\n");
        command(vm, "cat /proc/interrupts", "arch_timer");
        command(vm, "cat /proc/meminfo", "MemFree:");
        command(vm, "dd if=/dev/zero of=/tmp/zeros bs=1M count=32", "32+0 records out");
        command(vm, "sha256sum /tmp/zeros", DIGEST + "  /tmp/zeros");
    }

    private static void command(Vm vm, String line, String answer) {
        vm.type(line + "\n");
        vm.awaitConsole(answer, COMMAND);
        vm.awaitConsole(PROMPT, COMMAND);
    }

    private static void powerOff(Vm vm) {
        vm.type("poweroff -f\n");

        assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        VmStatistics used = vm.statistics();
        assertThat(used.pagesLent()).isPositive();
        assertThat(used.pagesReturned()).isEqualTo(used.pagesLent());
        assertThat(used.instructions()).isGreaterThan(100_000_000);
    }
}
