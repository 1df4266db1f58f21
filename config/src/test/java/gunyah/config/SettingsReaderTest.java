package gunyah.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsReaderTest {
    @TempDir
    private Path directory;

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("run.conf"), text);
    }

    @Test
    void everyKeyOfAFileIsRead() throws IOException {
        Path file = file("""
                machine { pcpus = 3, memory = 4 GiB, timeslice = 2 ms }
                vm { name = web, cpus = 2, memory = 256 MiB, kernel = vmlinuz, initrd = ram.cpio, append = "quiet x=1",
                     dtb = a.dtb, dtb-overlays = [ b.dtbo, c.dtbo ], dump-dtb = out.dtb, protected = false,
                     memory-backing = prealloc, huge-pages = true, reboot = false }
                console = "file:web.log"
                timeout = 90 s
                stats = true
                trace = t.jsonl
                """);

        RunSettings run = new SettingsReader().file(file).read();

        assertThat(run.machine()).isEqualTo(new MachineConfig(3, 4L << 30, 2_000_000, Engine.AUTO, CpuModel.DEFAULT));
        assertThat(run.vms()).containsExactly(new VmConfig("web", 2, 256L << 20,
                Optional.of(directory.resolve("vmlinuz")), Optional.empty(), Optional.of(directory.resolve("ram.cpio")),
                "quiet x=1", new TreeConfig(Optional.of(directory.resolve("a.dtb")),
                        List.of(directory.resolve("b.dtbo"), directory.resolve("c.dtbo")),
                        Optional.of(directory.resolve("out.dtb"))), new MemoryConfig(false, true, true), false,
                DeviceConfig.NONE));
        assertThat(run.console()).isEqualTo(new ConsoleTarget.ToFile(directory.resolve("web.log")));
        assertThat(run.timeout()).contains(Duration.ofSeconds(90));
        assertThat(run.stats()).isTrue();
        assertThat(run.trace()).contains(directory.resolve("t.jsonl"));
    }

    @Test
    void optionsWinOverTheFileAndTheFileOverTheGuest() throws IOException {
        Path file = file("vm { memory = 256 MiB, cpus = 2 }");

        RunSettings run = new SettingsReader().values("option", Map.of("vm.cpus", "4")).file(file)
                .values("guest", Map.of("vm.kernel", "k", "vm.memory", "128M", "vm.name", "deb")).read();

        VmConfig vm = run.vms().getFirst();
        assertThat(vm.cpus()).isEqualTo(4);
        assertThat(vm.memoryBytes()).isEqualTo(256L << 20);
        assertThat(vm.name()).isEqualTo("deb");
        assertThat(vm.kernel()).contains(Path.of("k"));
        assertThat(run.machine().memoryBytes()).isEqualTo((256L + 512) << 20);
    }

    @Test
    void severalVmsGetNumberedNamesAndFiles() {
        RunSettings run = new SettingsReader()
                .values("option", Map.of("vm.kernel", "k", "vm.count", "3", "console", "file:out/boot.log")).read();

        assertThat(run.vms()).extracting(VmConfig::name).containsExactly("guest-1", "guest-2", "guest-3");
        ConsoleTarget.ToFile files = (ConsoleTarget.ToFile) run.console();
        assertThat(files.forVm(2, 3)).isEqualTo(Path.of("out/boot-3.log"));
        assertThat(files.forVm(0, 1)).isEqualTo(Path.of("out/boot.log"));
        assertThat(new ConsoleTarget.ToFile(Path.of("boot")).forVm(1, 2)).isEqualTo(Path.of("boot-2"));
    }

    @Test
    void eachVmHasItsOwnAddressAndSocket() throws IOException {
        Path file = file("vm { kernel = k, name = web, vsock = 7 }");
        RunSettings one = new SettingsReader().file(file).read();
        RunSettings two = new SettingsReader().values("option", Map.of("vm.kernel", "k", "vm.count", "2", "console",
                "null", "vm.vsock", "10,socket=run/s.sock")).read();

        assertThat(one.vms().getFirst().devices().vsock()).contains(new VsockConfig(7, directory.resolve("web.vsock")));
        assertThat(two.vms()).extracting(vm -> vm.devices().vsock().orElseThrow()).containsExactly(
                new VsockConfig(10, Path.of("run/s-1.sock")), new VsockConfig(11, Path.of("run/s-2.sock")));
        for (String wrong : List.of("2", "4294967295", "x", "3,path=s", "3,socket=", "")) {
            assertThatThrownBy(() -> new SettingsReader().values("option", Map.of("vm.kernel", "k", "vm.vsock", wrong))
                    .read()).as(wrong).isInstanceOf(BadInput.class);
        }
    }

    @Test
    void severalVmsCannotShareTheStandardOutput() {
        assertThatThrownBy(() -> new SettingsReader()
                .values("option", Map.of("vm.kernel", "k", "vm.count", "2", "console", "stdio")).read())
                .isInstanceOf(BadInput.class).hasMessageContaining("file:PATH or null");
    }

    @Test
    void aPrimaryKernelHasTheWholeMachineButWhatTheResourceManagerTakes() {
        RunSettings run = read("vm.cpus", "3");

        assertThat(run.machine().primaryKernel()).isTrue();
        assertThat(run.machine().pcpus()).isEqualTo(3);
        assertThat(run.machine().memoryBytes()).isEqualTo((512L + 8) << 20);
        assertThat(run.vms()).extracting(VmConfig::kernel).containsExactly(Optional.of(Path.of("p")));
    }

    @Test
    void aPrimaryKernelIsAloneAndHasAVcpuForEachPhysicalCpu() {
        assertThatThrownBy(() -> read("vm.count", "2")).hasMessageContaining("there is one primary VM");
        assertThatThrownBy(() -> read("vm.kernel", "k")).hasMessageContaining("are both given");
        assertThatThrownBy(() -> read("vm.disks", "d")).hasMessageContaining("are for guests");
        assertThatThrownBy(() -> read("machine.pcpus", "2")).hasMessageContaining("one vCPU for each physical CPU");
    }

    private static RunSettings read(String key, String value) {
        return new SettingsReader().values("option", Map.of("vm.primary-kernel", "p", key, value)).read();
    }

    @Test
    void aWrongUnitIsReportedWithFileAndLine() throws IOException {
        Path file = file("vm.kernel = k\nvm {\n  memory = 512 MB\n}\n");

        assertThatThrownBy(() -> new SettingsReader().file(file).read()).isInstanceOf(BadInput.class)
                .hasMessageContaining("run.conf:3, vm.memory").hasMessageContaining("unknown unit 'MB'");
    }

    @Test
    void anUnknownKeyIsReportedWithFileAndLine() throws IOException {
        Path file = file("vm.kernel = k\nvm.color = blue\n");

        assertThatThrownBy(() -> new SettingsReader().file(file)).isInstanceOf(BadInput.class)
                .hasMessageContaining("run.conf:2: unknown key 'vm.color'");
    }

    @Test
    void brokenSyntaxIsReportedWithItsLine() throws IOException {
        Path file = file("vm {\n  memory = \n");

        assertThatThrownBy(() -> new SettingsReader().file(file)).isInstanceOf(BadInput.class)
                .hasMessageContaining("run.conf");
    }

    @Test
    void aMachineTooSmallForItsVmsIsRefused() {
        assertThatThrownBy(() -> new SettingsReader().values("option",
                Map.of("vm.kernel", "k", "vm.memory", "1G", "machine.memory", "1G")).read())
                .isInstanceOf(BadInput.class).hasMessageContaining("the machine has 1024 MiB, its VMs need 1536 MiB");
    }

    @Test
    void aBalloonTakesLessThanTheVmHas() {
        assertThatThrownBy(() -> new SettingsReader().values("option",
                Map.of("vm.kernel", "k", "vm.memory", "256M", "vm.balloon", "256M")).read())
                .isInstanceOf(BadInput.class).hasMessageContaining("the VM has only 268435456");
        new SettingsReader().values("option", Map.of("vm.kernel", "k", "vm.memory", "256M", "vm.balloon", "255M")).read();
    }

    @Test
    void numbersOutOfRangeNameTheOption() {
        assertThatThrownBy(() -> new SettingsReader().values("option --cpus", Map.of("vm.cpus", "99"))
                .values("test", Map.of("vm.kernel", "k")).read())
                .isInstanceOf(BadInput.class).hasMessage("option --cpus: must be a number from 1 to 64, not '99'");
    }

    @Test
    void aMissingFileIsRefused() {
        assertThatThrownBy(() -> new SettingsReader().file(directory.resolve("none.conf")))
                .isInstanceOf(BadInput.class).hasMessageContaining("cannot be read");
    }
}
