package gunyah.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.config.BadInput;
import gunyah.config.MemoryConfig;
import gunyah.config.Serial;
import gunyah.config.TreeConfig;
import gunyah.config.VmConfig;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where things go in guest memory, and what the device tree says about them. */
class BootPlanTest {
    private static final Ram RAM = new Ram(0x4000_0000L, 16 << 20);
    private static final GuestTree.Places PLACES =
            new GuestTree.Places(0x0800_0000L, 0x080a_0000L, 0x0900_0000L, 1, 0x0901_0000L, 2,
                    new GuestTree.Virtio(0, 0x0a00_0000L, 0x200, 16, 0x2000_0000L, 32 << 20), Serial.PL011);

    @TempDir
    private Path directory;

    private Path file(String name, int size) throws IOException {
        return Files.write(directory.resolve(name), new byte[size]);
    }

    private static VmConfig config(Optional<Path> kernel, Optional<Path> firmware, Optional<Path> initrd,
            Optional<Path> dtb) {
        return new VmConfig("alpha", 2, RAM.size(), kernel, firmware, initrd, "quiet", dtb, true);
    }

    private static BootPlan plan(VmConfig config) {
        return BootPlan.of(config, RAM, PLACES);
    }

    private static DtNode tree(BootPlan plan) {
        return Fdt.parse(plan.chunks().getLast().data()).root();
    }

    @Test
    void kernelLowDeviceTreeHighInitrdBelowIt() throws IOException {
        BootPlan plan = plan(config(Optional.of(file("k", 0x1000)), Optional.empty(),
                Optional.of(file("i", 0x12345)), Optional.empty()));

        assertThat(plan.entry()).isEqualTo(0x4008_0000L);
        assertThat(plan.dtbRoom()).isEqualTo(0x10000);
        assertThat(plan.dtbGpa()).isEqualTo(0x40ff_0000L);
        assertThat(plan.chunks()).extracting(GuestImage.Chunk::gpa)
                .containsExactly(0x4008_0000L, 0x40fd_d000L, 0x40ff_0000L);
        DtNode chosen = tree(plan).find("/chosen").orElseThrow();
        assertThat(chosen.cells("linux,initrd-start").orElseThrow()).containsExactly(0, 0x40fd_d000);
        assertThat(chosen.cells("linux,initrd-end").orElseThrow()).containsExactly(0, 0x40fd_d000 + 0x12345);
        assertThat(chosen.string("bootargs")).contains("console=ttyAMA0 quiet");
    }

    @Test
    void firmwareFindsTheDeviceTreeAtTheStartOfMemory() throws IOException {
        BootPlan plan = plan(config(Optional.empty(), Optional.of(file("u-boot.bin", 0x1000)), Optional.empty(),
                Optional.empty()));

        assertThat(plan.entry()).isEqualTo(0x4020_0000L);
        assertThat(plan.dtbGpa()).isEqualTo(0x4000_0000L);
    }

    /** Nothing that the guest could use for its devices may be in the blocks that are lent with the tree. */
    @Test
    void inSharedMemoryTheTreeHasItsBlocksForItselfAndReservesThem() throws IOException {
        VmConfig config = config(Optional.of(file("k", 0x1000)), Optional.empty(), Optional.of(file("i", 0x1000)),
                Optional.empty()).with(new MemoryConfig(false, false, true));
        BootPlan plan = plan(config);
        BootPlan firmware = plan(config(Optional.empty(), Optional.of(file("u-boot.bin", 0x1000)), Optional.empty(),
                Optional.empty()).with(new MemoryConfig(false, false, true)));

        assertThat(plan.dtbGpa()).isEqualTo(0x40ff_0000L);
        assertThat(plan.lent()).isEqualTo(new Ram(0x40e0_0000L, 2 << 20));
        assertThat(plan.chunks()).extracting(GuestImage.Chunk::gpa)
                .containsExactly(0x4008_0000L, 0x40df_f000L, 0x40ff_0000L);
        assertThat(Fdt.parse(plan.dtb().data()).reservations())
                .containsExactly(new Fdt.Reservation(0x40e0_0000L, 2 << 20));
        assertThat(firmware.lent()).isEqualTo(new Ram(0x4000_0000L, 2 << 20));
    }

    @Test
    void onlyDevicesThatReachPartOfMemoryHaveARangeForDma() throws IOException {
        GuestTree.Virtio all = new GuestTree.Virtio(1, 0x0a00_0000L, 0x200, 16, 0x2000_0000L, 0);
        GuestTree.Virtio some = new GuestTree.Virtio(1, 0x0a00_0000L, 0x200, 16, 0x2000_0000L, 32 << 20);
        VmConfig config = config(Optional.of(file("k", 64)), Optional.empty(), Optional.empty(), Optional.empty());

        DtNode restricted = tree(BootPlan.of(config, RAM, places(some)));
        DtNode free = tree(BootPlan.of(config, RAM, places(all)));

        assertThat(restricted.find("/virtio-bus").orElseThrow().has("dma-ranges")).isTrue();
        assertThat(restricted.find("/memory").orElseThrow().cells("reg").orElseThrow()).hasSize(8);
        assertThat(free.find("/virtio-bus").orElseThrow().has("dma-ranges")).isFalse();
        assertThat(free.find("/memory").orElseThrow().cells("reg").orElseThrow()).hasSize(4);
        assertThat(free.find("/chosen").orElseThrow().string("bootargs")).contains("console=ttyAMA0 quiet");
    }

    private static GuestTree.Places places(GuestTree.Virtio virtio) {
        return new GuestTree.Places(PLACES.gicd(), PLACES.gicr(), PLACES.uart(), 1, PLACES.rtc(), 2, virtio,
                Serial.PL011);
    }

    @Test
    void overlaysAreAppliedInTheirOrderAndRefusedByName() throws IOException {
        Path first = overlay("one.dtbo", "chosen", "a");
        Path second = overlay("two.dtbo", "chosen", "b");
        Path wrong = overlay("wrong.dtbo", "absent", "c");
        Path hypervisor = overlay("hyp.dtbo", "", "d");
        VmConfig config = config(Optional.of(file("k", 64)), Optional.empty(), Optional.empty(), Optional.empty());

        DtNode chosen = tree(plan(config.with(overlays(first, second)))).child("chosen").orElseThrow();
        assertThat(chosen.string("mark")).contains("b");
        assertThat(chosen.string("bootargs")).contains("console=ttyAMA0 quiet");
        assertThatThrownBy(() -> plan(config.with(overlays(first, wrong)))).isInstanceOf(BadInput.class)
                .hasMessageContaining("wrong.dtbo cannot be applied: ")
                .hasMessageContaining("fragment@0 has the target /absent, which is not there");
        assertThatThrownBy(() -> plan(config.with(overlays(hypervisor)))).isInstanceOf(BadInput.class)
                .hasMessageContaining("hyp.dtbo adds a node /hypervisor");
        assertThatThrownBy(() -> plan(config.with(overlays(directory.resolve("none"))))).isInstanceOf(BadInput.class)
                .hasMessageContaining("device tree overlay").hasMessageContaining("does not exist");
    }

    private static TreeConfig overlays(Path... files) {
        return new TreeConfig(Optional.empty(), List.of(files), Optional.empty());
    }

    private Path overlay(String name, String target, String mark) throws IOException {
        DtNode root = new DtNode("");
        DtNode fragment = root.add("fragment@0").strings("target-path", "/" + target);
        DtNode content = fragment.add("__overlay__").strings("mark", mark);
        if (target.isEmpty()) {
            content.add("hypervisor");
        }
        return Files.write(directory.resolve(name), new Fdt(root).toBytes());
    }

    @Test
    void theConfigurationNodeTellsTheResourceManagerEverything() throws IOException {
        DtNode root = tree(plan(config(Optional.of(file("k", 64)), Optional.empty(), Optional.empty(),
                Optional.empty())));

        DtNode config = root.find("/gunyah-vm-config").orElseThrow();
        assertThat(config.string("image-name")).contains("alpha");
        assertThat(config.string("os-type")).contains("linux");
        assertThat(config.find("memory").orElseThrow().cells("base-address").orElseThrow())
                .containsExactly(0, 0x4000_0000);
        assertThat(config.find("vcpus").orElseThrow().string("affinity")).contains("proxy");
        String gic = config.find("interrupts").orElseThrow().string("config").orElseThrow();
        assertThat(root.find(gic).orElseThrow().isCompatible("arm,gic-v3")).isTrue();
        DtNode bell = config.find("vdevices/bell-1").orElseThrow();
        assertThat(bell.string("vdevice-type")).contains("doorbell");
        assertThat(bell.cells("interrupts").orElseThrow()).containsExactly(0, 1, 4);
        assertThat(bell.cell("label")).contains(1);
        assertThat(root.find("/cpus").orElseThrow().children()).hasSize(2).allMatch(cpu ->
                cpu.string("enable-method").filter("psci"::equals).isPresent());
        assertThat(root.find("/psci").orElseThrow().string("method")).contains("hvc");
    }

    @Test
    void theTreeCompilesWithoutComplaint() throws Exception {
        Path dtc = Path.of("/usr/bin/dtc");
        assumeTrue(Files.isExecutable(dtc), "dtc is not installed");
        BootPlan plan = plan(config(Optional.of(file("k", 64)), Optional.empty(), Optional.of(file("i", 64)),
                Optional.empty()));
        Path blob = Files.write(directory.resolve("guest.dtb"), plan.chunks().getLast().data());

        // Gunyah's binding has numeric labels and an interrupt outside any device.
        Process run = new ProcessBuilder(dtc.toString(), "-I", "dtb", "-O", "dts", "-o", "/dev/null",
                "-Wno-interrupts_property", "-Wno-label_is_string", blob.toString()).redirectErrorStream(true).start();
        String output = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(run.waitFor()).isZero();
        assertThat(output).isEmpty();
    }

    @Test
    void aTreeOfTheUserIsCompleted() throws IOException {
        DtNode root = new DtNode("").cells("#address-cells", 2).cells("#size-cells", 2);
        root.add("gic@8000000").strings("compatible", "arm,gic-v3");
        DtNode cpus = root.add("cpus").cells("#address-cells", 1).cells("#size-cells", 0);
        cpus.add("cpu@0").strings("device_type", "cpu");
        cpus.add("cpu@1").strings("device_type", "cpu");
        Path dtb = Files.write(directory.resolve("user.dtb"), new Fdt(root).toBytes());

        DtNode completed = tree(plan(config(Optional.of(file("k", 64)), Optional.empty(), Optional.empty(),
                Optional.of(dtb))));

        assertThat(completed.find("/gunyah-vm-config/interrupts").orElseThrow().string("config"))
                .contains("/gic@8000000");
        assertThat(completed.find("/chosen").orElseThrow().string("bootargs")).contains("quiet");
    }

    @Test
    void treesThatCannotWorkAreRefused() throws IOException {
        Path noTree = file("zero.dtb", 100);
        Path empty = Files.write(directory.resolve("empty.dtb"), new Fdt(new DtNode("")).toBytes());
        DtNode one = new DtNode("");
        one.add("gic").strings("compatible", "arm,gic-v3");
        Path wrongCpus = Files.write(directory.resolve("cpus.dtb"), new Fdt(one).toBytes());

        refused(noTree, "no usable device tree");
        refused(empty, "arm,gic-v3");
        refused(wrongCpus, "describes 0 cpus, the VM has 2");
    }

    private void refused(Path dtb, String words) throws IOException {
        VmConfig config = config(Optional.of(file("k", 64)), Optional.empty(), Optional.empty(), Optional.of(dtb));
        assertThatThrownBy(() -> plan(config)).isInstanceOf(BadInput.class).hasMessageContaining(words);
    }

    @Test
    void whatDoesNotFitTogetherSaysHowMuchItNeeds() throws IOException {
        VmConfig config = config(Optional.of(file("k", 8 << 20)), Optional.empty(), Optional.of(file("i", 8 << 20)),
                Optional.empty());

        assertThatThrownBy(() -> plan(config)).isInstanceOf(BadInput.class).hasMessageContaining("need 17 MiB")
                .hasMessageContaining("has 16 MiB");
    }

    @Test
    void missingEmptyAndUnreadableFilesAreNamed() throws IOException {
        Path kernel = file("k", 64);
        Path gone = directory.resolve("gone");

        assertThatThrownBy(() -> plan(config(Optional.of(gone), Optional.empty(), Optional.empty(),
                Optional.empty()))).isInstanceOf(BadInput.class).hasMessageContaining("does not exist");
        assertThatThrownBy(() -> plan(config(Optional.of(directory), Optional.empty(), Optional.empty(),
                Optional.empty()))).isInstanceOf(BadInput.class).hasMessageContaining("is a directory");
        assertThatThrownBy(() -> plan(config(Optional.of(kernel), Optional.empty(), Optional.of(file("i", 0)),
                Optional.empty()))).isInstanceOf(BadInput.class).hasMessageContaining("is empty");
        assertThatThrownBy(() -> plan(config(Optional.empty(), Optional.of(kernel), Optional.of(kernel),
                Optional.empty()))).isInstanceOf(BadInput.class).hasMessageContaining("initrd needs a kernel");
    }
}
