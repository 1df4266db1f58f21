package gunyah.rm.dt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.fdt.DtNode;
import gunyah.rm.GuestTrees;
import gunyah.rm.dt.GuestConfig.Affinity;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class GuestConfigParserTest {
    private static GuestConfig parse(Consumer<DtNode> change) {
        DtNode root = GuestTrees.guest(2);
        change.accept(root);
        return GuestConfigParser.parse(root, 4);
    }

    private static void assertRefused(RmError error, Consumer<DtNode> change) {
        assertThatThrownBy(() -> parse(change)).isInstanceOf(RmFault.class).hasMessage(error.name());
    }

    private static DtNode find(DtNode root, String path) {
        return root.find(path).orElseThrow();
    }

    @Test
    void theTreeOfAVmmForLinuxIsUnderstood() {
        GuestConfig config = parse(root -> { });

        assertThat(config.name()).isEqualTo("guest");
        assertThat(config.psci()).isTrue();
        assertThat(config.baseAddress()).isEqualTo(0x8000_0000L);
        assertThat(config.vcpus().affinity()).isEqualTo(Affinity.PROXY);
        assertThat(config.vcpus().cpus()).extracting(GuestConfig.CpuNode::boot).containsExactly(true, false);
        assertThat(config.gic().distributor()).isEqualTo(GuestTrees.GICD);
        assertThat(config.gic().redistributor()).isEqualTo(GuestTrees.GICD - 0x4_0000);
        assertThat(config.vdevices()).containsExactly(new DoorbellDevice("/hypervisor/bell-7", List.of(), 7,
                false, true, 37));
    }

    @Test
    void theInterruptControllerIsFoundByPathToo() {
        GuestConfig config = parse(root -> find(root, "/gunyah-vm-config/interrupts").strings("config",
                "/intc@3fff0000"));

        assertThat(config.gic().path()).isEqualTo("/intc@3fff0000");
    }

    @Test
    void cpusWithAStatusSayThemselvesWhoBoots() {
        GuestConfig config = parse(root -> {
            find(root, "/cpus/cpu@0").strings("status", "disabled");
            find(root, "/cpus/cpu@1").strings("status", "okay");
        });

        assertThat(config.vcpus().cpus()).extracting(GuestConfig.CpuNode::boot).containsExactly(false, true);
    }

    @Test
    void badValuesAreRefused() {
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/gunyah-vm-config").removeProperty("image-name"));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config").strings("image-name", "x".repeat(80)));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/gunyah-vm-config").strings("os-type", "other"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/gunyah-vm-config").strings("vm-guid", "no"));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config").strings("vm-attrs", "crash-fatal"));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config/vcpus").strings("affinity", "quantum"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/gunyah-vm-config/vcpus").strings("affinity",
                "static"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/cpus/cpu@1").removeProperty("enable-method"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> root.remove(find(root, "/cpus")));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/intc@3fff0000").removeProperty("interrupt-controller"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/intc@3fff0000").cells("reg", 1, 2));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config/memory").cells64("base-address", 1));
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config/vdevices/bell-7").cells("interrupts", 1, 5, 1));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/chosen").strings("device_type", "memory"));
        assertRefused(RmError.NORESOURCE,
                root -> find(root, "/gunyah-vm-config/vdevices/bell-7").strings("vdevice-type", "shm"));
        assertRefused(RmError.NORESOURCE,
                root -> find(root, "/gunyah-vm-config/vdevices/bell-7").strings("peer", "vm-name:other"));
    }

    @Test
    void moreVcpusThanAllowedAreRefused() {
        assertThatThrownBy(() -> GuestConfigParser.parse(GuestTrees.guest(5), 4)).isInstanceOf(RmFault.class);
    }
}
