package gunyah.rm.dt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.rm.GuestTrees;
import gunyah.rm.Invariant;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.link.QueuePair;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestOverlayTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_130L);
    private static final QueuePair QUEUES =
            new QueuePair(8, 240, 1, 2, 40, 41, 0x1234_5678_9abc_def0L, 0x0fed_cba9_8765_4321L, 960, 961);

    private static Fdt overlaid() {
        DtNode root = GuestTrees.guest(2);
        root.find("/gunyah-vm-config/vdevices").orElseThrow().add("rm").strings("vdevice-type", "rm-rpc")
                .strings("generate", "/hypervisor/qcom,resource-mgr").strings("push-compatible", "first");
        Fdt tree = new Fdt(root);
        GuestConfig config = GuestConfigParser.parse(root, 8);
        GuestOverlay overlay = new GuestOverlay(tree, config.gic().phandle()).kaslrSeed(-1)
                .identity(128, 3, config, List.of(3));
        DeviceNodes nodes = overlay.devices();
        config.vdevices().forEach(device -> {
            if (device instanceof RpcDevice rpc) {
                nodes.rpc(rpc, QUEUES);
            } else if (device instanceof DoorbellDevice bell) {
                nodes.doorbell(bell, new DeviceNodes.Bell(0xabc, 37));
            }
        });
        overlay.memory(List.of(new MemRange(0xa000_0000L, 0x1000), new MemRange(0x8000_0000L, 0x2000_0000L)), false);
        return tree;
    }

    @Test
    @Invariant("D1")
    void whatWasThereStaysAndWhatIsNewCanBeReadBack() {
        DtNode before = GuestTrees.guest(2);

        DtNode root = Fdt.parse(overlaid().toBytes()).root();

        for (String path : List.of("/cpus/cpu@0", "/cpus/cpu@1", "/psci", "/intc@3fff0000", "/gunyah-vm-config")) {
            before.find(path).orElseThrow().properties().forEach((name, value) ->
                    assertThat(root.find(path).orElseThrow().bytes(name).orElseThrow()).isEqualTo(value));
        }
        assertThat(root.children()).filteredOn(n -> n.baseName().equals("hypervisor")).hasSize(1);
        assertThat(root.children()).filteredOn(n -> n.baseName().equals("memory")).hasSize(1);
        assertThat(root.find("/memory").orElseThrow().cells("reg").orElseThrow())
                .containsExactly(0, 0x8000_0000, 0, 0x2000_1000);
        DtNode rpc = root.find("/hypervisor/qcom,resource-mgr@fedcba987654321").orElseThrow();
        assertThat(rpc.strings("compatible")).startsWith("first", "gunyah-resource-manager");
        assertThat(rpc.cells("reg").orElseThrow())
                .containsExactly(0x1234_5678, 0x9abc_def0, 0x0fed_cba9, 0x8765_4321);
        assertThat(rpc.cells("interrupts").orElseThrow()).containsExactly(0, 928, 1, 0, 929, 1);
    }

    @Test
    @Invariant("D1")
    void memoryIsWhatIsMappedSortedAndMerged() {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            BitSet pages = new BitSet();
            List<MemRange> ranges = new ArrayList<>();
            for (int i = random.nextInt(8); i >= 0; i--) {
                int page = 0x8_0000 + random.nextInt(40);
                int size = 1 + random.nextInt(4);
                if (pages.get(page, page + size).isEmpty()) {
                    pages.set(page, page + size);
                    ranges.add(new MemRange(page * 0x1000L, size * 0x1000L));
                }
            }
            List<Integer> expected = new ArrayList<>();
            for (int from = pages.nextSetBit(0); from >= 0; from = pages.nextSetBit(pages.nextClearBit(from))) {
                expected.addAll(List.of(0, from << 12, 0, (pages.nextClearBit(from) - from) << 12));
            }
            Fdt tree = new Fdt(GuestTrees.guest(1));

            new GuestOverlay(tree, 1).memory(ranges, false);

            DtNode memory = Fdt.parse(tree.toBytes()).root().children().stream()
                    .filter(n -> n.baseName().equals("memory")).findFirst().orElseThrow();
            assertThat(memory.cells("reg").orElseThrow()).as("seed %d, round %d", SEED, round)
                    .containsExactly(expected.stream().mapToInt(i -> i).toArray());
        }
    }

    @Test
    @Invariant("D2")
    void aTreeWithAHypervisorOrWithoutChosenIsRefused() {
        DtNode claimed = GuestTrees.guest(1);
        claimed.add("hypervisor@0");
        DtNode bare = GuestTrees.guest(1);
        bare.remove(bare.child("chosen").orElseThrow());

        for (DtNode root : List.of(claimed, bare)) {
            assertThatThrownBy(() -> new GuestOverlay(new Fdt(root), 0)).isInstanceOf(RmFault.class)
                    .hasMessage(RmError.NORESOURCE.name());
        }
    }

    @Test
    void extendedInterruptsHaveTheirOwnKind() {
        DtNode node = new DtNode("x");

        DeviceNodes.interrupts(node, 0, 4096, 5119);

        assertThat(node.cells("interrupts").orElseThrow()).containsExactly(2, 0, 1, 2, 1023, 1);
        assertThat(node.has("interrupt-parent")).isFalse();
    }

    @Test
    void theDeviceTreeCompilerReadsBothTrees(@TempDir Path directory) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/dtc")), "dtc is not installed");
        assertThat(decompile(directory, overlaid().toBytes())).contains("qcom,gunyah-vm", "kaslr-seed", "bell-7@abc");
        assertThat(decompile(directory, HostTree.build(3, 0x4000_0000L, 0x1000_0000L, 2, QUEUES, 32).toBytes()))
                .contains("gunyah-resource-mgr@123456789abcdef0", "compatible = \"gunyah-hypervisor");
    }

    private static String decompile(Path directory, byte[] blob) throws IOException, InterruptedException {
        Path in = Files.write(directory.resolve("tree.dtb"), blob);
        Path out = directory.resolve("tree.dts");
        Process dtc = new ProcessBuilder("/usr/bin/dtc", "-I", "dtb", "-O", "dts", "-o", out.toString(), in.toString())
                .redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start();
        assertThat(dtc.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(dtc.exitValue()).as(Files.readString(directory.resolve("log"))).isZero();
        return Files.readString(out);
    }
}
