package gunyah.cli;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.config.fdt.Fdt;
import gunyah.runtime.ScriptedMachine;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    @TempDir
    private Path directory;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final ScriptedMachine machine = new ScriptedMachine(Map.of("uname", "Linux"));
    private final List<MachineConfig> started = new ArrayList<>();
    private final List<Path> traces = new ArrayList<>();

    private int run(String input, String... args) {
        return Main.run(new Main.Surroundings(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), out,
                new PrintStream(err, true, StandardCharsets.UTF_8), directory.resolve("guests"), (config, trace) -> {
                    started.add(config);
                    trace.ifPresent(traces::add);
                    return machine.system();
                }), args);
    }

    private String messages() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theBuiltinGuestRunsOnTwoVcpusAndItsConsoleIsTheStandardOutput() {
        int status = run("uname\noff\n", "run");

        assertThat(status).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("hello from builtin\r\n> Linux\r\n> ");
        VmConfig vm = machine.launched().get("builtin");
        assertThat(vm.cpus()).isEqualTo(2);
        assertThat(vm.kernel().orElseThrow()).doesNotExist();
        assertThat(machine.isClosed()).isTrue();
        assertThat(messages()).isEmpty();
    }

    @Test
    void everyOptionReachesTheVm() throws IOException {
        Path console = directory.resolve("c.log");

        int status = run("off\n", "run", "--kernel", "k", "--initrd", "i", "--append", "quiet", "--dtb", "d", "--cpus",
                "4", "--mem", "1G", "--pcpus", "3", "--name", "web", "--console", "file:" + console, "--timeout", "1m",
                "--stats", "--trace", "t.jsonl", "--dtb-overlay", "o1", "--dtb-overlay", "o2", "--unprotected",
                "--memory-backing", "prealloc", "--huge-pages", "--no-reboot", "--disk", "d.qcow2,ro", "--net",
                "user,hostfwd=:127.0.0.2:1-:2,hostfwd=udp::0-10.0.2.15:53", "--net", "switch=lan", "--share", "f",
                "--vsock", "7,socket=s", "--balloon", "64M", "--rng", "--serial", "ns16550a");

        assertThat(status).isZero();
        assertThat(machine.launched().get("web").toString()).contains("cpus=4", "memoryBytes=1073741824",
                "kernel=Optional[k]", "initrd=Optional[i]", "commandLine=quiet", "dtb=Optional[d]",
                "overlays=[o1, o2]", "isProtected=false, preallocated=true, hugePages=true", "reboots=false",
                "DiskConfig[file=d.qcow2, readOnly=true", "Forward[transport=TCP, host=127.0.0.2, hostPort=1, guestPort=2]",
                "Forward[transport=UDP, host=, hostPort=0, guestPort=53]", "Switched[name=lan]", "shares=[f]",
                "VsockConfig[cid=7, socket=s]", "balloon=OptionalLong[67108864]", "rng=true", "serial=NS16550A");
        assertThat(started.getFirst().pcpus()).isEqualTo(3);
        assertThat(traces).containsExactly(Path.of("t.jsonl"));
        assertThat(Files.readString(console)).startsWith("hello from web");
        assertThat(out.size()).isZero();
        assertThat(messages().lines().toList()).last().asString().startsWith("{\"vm\":\"web\",\"exit\":\"off\"")
                .endsWith("\"pagesReturned\":64}");
    }

    @Test
    void firmwareTakesThePlaceOfAKernel() {
        assertThat(run("off\n", "run", "--firmware", "u-boot.bin")).isZero();
        assertThat(machine.launched().get("guest").firmware()).contains(Path.of("u-boot.bin"));
    }

    @Test
    void severalVmsGetTheSameInputAndAFileEach() throws IOException {
        int status = run("off\n", "run", "--kernel", "k", "--vms", "3", "--name", "n", "--console",
                "file:" + directory.resolve("boot.log"));

        assertThat(status).isZero();
        assertThat(Files.readString(directory.resolve("boot-3.log"))).startsWith("hello from n-3");
        assertThat(machine.launched()).containsOnlyKeys("n-1", "n-2", "n-3");
    }

    @Test
    void aCrashIsReportedWithStatusThree() {
        assertThat(run("crash\n", "run", "--stats")).isEqualTo(3);
        assertThat(messages()).contains("builtin crashed: page fault at 0x1234", "vcpu 0: PC 0xffff0000",
                "\"exit\":\"crashed\"");
    }

    @Test
    void theTimeoutSaysWhereTheGuestIs() {
        assertThat(run("spin\n", "run", "--timeout", "10ms", "--stats")).isEqualTo(124);
        assertThat(messages()).contains("builtin still runs after 0.01 s", "PC 0x40200000", "\"exit\":\"timeout\"");
        assertThat(machine.isClosed()).isTrue();
    }

    @Test
    void aKernelThatIsRefusedEndsWithStatusTwoAndLeavesNothingRunning() {
        assertThat(run("", "run", "--kernel", "bad")).isEqualTo(2);
        assertThat(messages()).isEqualTo("gunyah: kernel bad: it is bad\n");
        assertThat(machine.isClosed()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "run --colour | unknown option '--colour'",
        "run --mem 512 --kernel k | option --mem: the size '512' has no unit",
        "run --mem 1M --kernel k | memory must be a multiple of 2 MiB from 4 MiB",
        "run --cpus 0 | option --cpus: must be a number from 1 to 64, not '0'",
        "run --timeout 5 MiB | there is no guest named 'MiB'",
        "run --timeout 5MiB | option --timeout: the duration '5MiB' has the unknown unit 'MiB'",
        "run --kernel a --firmware b | kernel and firmware are both given",
        "run --console tcp:1 | option --console: console 'tcp:1' is unknown",
        "run --console file:/nowhere/at/all | cannot write the console file /nowhere/at/all: its directory does not",
        "run --console file:/ | cannot write the console file /: it is a directory",
        "run --vms 2 --console stdio | console stdio is for one VM",
        "run --mem 3 | option --mem: the size '3' has no unit",
        "run --timeout 0s | option --timeout: a timeout must be longer than nothing",
        "run --config /nowhere.conf | config file /nowhere.conf cannot be read",
        "run plan9 | there is no guest named 'plan9': known are builtin, debian",
        "run debian --kernel k | 'debian' and a kernel or firmware file are both given",
        "run --protected --unprotected | --protected and --unprotected are both given: give one of them",
        "run --memory-backing eager | option --memory-backing: must be lazy or prealloc, not 'eager'",
        "run --disk d,rw | option --disk: a disk has no property 'rw'",
        "run --disk d,format=vdi | option --disk: a disk's format is raw or qcow2, not 'vdi'",
        "run --net bridge | option --net: a network is user[,hostfwd=tcp",
        "run --net user,hostfwd=udp::70000-:80 | option --net: 'hostfwd=udp::70000-:80' is not hostfwd=tcp",
        "run --net user,hostfwd=tcp::1-:0 | option --net: 'hostfwd=tcp::1-:0' is not hostfwd=tcp",
        "run --vsock 1 | option --vsock: a guest's CID must be a number from 3 to 4294967294",
        "run --balloon 1 | option --balloon: the size '1' has no unit",
        "run --balloon 2G | the balloon is to take 2147483648 bytes, but the VM has only 268435456",
        "run --serial pl012 | option --serial: must be pl011, ns16550a or virtio, not 'pl012'",
        "run --dtb-overlay | Missing required parameter for option '--dtb-overlay'",
        "run --vms 2 --dump-dtb f | option --dump-dtb: a device tree is written for one VM, not for 2",
        "run --primary-kernel k --unprotected | option --unprotected: that is for guests; the primary VM owns",
        "run --primary-kernel k --huge-pages | option --huge-pages: that is for guests",
        "run --primary-kernel k --dump-dtb f | option --dump-dtb: that is for guests",
        "run --dump-dtb /nowhere/f | cannot write the device tree to /nowhere/f: its directory does not exist",
        "run --dump-dtb f --dtb-overlay /none | device tree overlay /none does not exist",
        "run --kernel | Missing required parameter for option '--kernel'",
        "fetch windows | cannot fetch 'windows'",
        "fetch debian --kernel 2.4 | '2.4' is unknown, give 6.1, 6.12, generic, rt or all",
        "jump | unexpected argument 'jump'"})
    void badUsageIsOneLineWithStatusTwo(String line, String message) {
        int status = run("", line.strip().split(" "));

        assertThat(messages()).startsWith("gunyah: ").contains(message.strip()).doesNotContain("Exception");
        assertThat(messages().lines()).hasSize(1);
        assertThat(status).isEqualTo(2);
        assertThat(started).isEmpty();
    }

    @Test
    void theDeviceTreeIsWrittenAndNothingRuns() throws IOException {
        Path file = directory.resolve("out.dtb");

        int status = run("", "run", "--dump-dtb", file.toString(), "--cpus", "3", "--rng");

        assertThat(status).as(messages()).isZero();
        Fdt tree = Fdt.parse(Files.readAllBytes(file));
        assertThat(tree.root().find("/cpus").orElseThrow().children()).hasSize(3);
        assertThat(tree.root().find("/virtio-bus/virtio_mmio@a000000")).isPresent();
        assertThat(tree.root().find("/gunyah-vm-config")).isPresent();
        assertThat(started).isEmpty();
        assertThat(messages()).isEmpty();
    }

    @Test
    void aConfigFileWithAWrongUnitNamesItsLine() throws IOException {
        Path config = Files.writeString(directory.resolve("vm.conf"), "vm {\n  memory = 512 MB\n}\n");

        assertThat(run("", "run", "--config", config.toString())).isEqualTo(2);
        assertThat(messages()).contains("vm.conf:2, vm.memory: the size '512 MB' has the unknown unit 'MB'");
    }

    @Test
    void helpAndVersionAreAnswered() {
        assertThat(run("", "--version")).isZero();
        assertThat(run("", "run", "--help")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("gunyah 0.1.0", "--firmware=FILE", "Exit status: 0");
    }
}
