package gunyah.rm.dt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.fdt.DtNode;
import gunyah.rm.GuestTrees;
import gunyah.rm.dt.GuestConfig.Affinity;
import gunyah.rm.dt.GuestConfig.DoorbellDevice;
import gunyah.rm.dt.GuestConfig.Head;
import gunyah.rm.dt.GuestConfig.IoMemoryDevice;
import gunyah.rm.dt.GuestConfig.Peer;
import gunyah.rm.dt.GuestConfig.QueueDevice;
import gunyah.rm.dt.GuestConfig.QueuePairDevice;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfig.SharedMemoryDevice;
import gunyah.rm.dt.GuestConfig.VirtioDevice;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import java.util.List;
import java.util.Optional;
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
        assertThat(config.memory().base()).isEqualTo(0x8000_0000L);
        assertThat(config.vcpus().affinity()).isEqualTo(Affinity.PROXY);
        assertThat(config.vcpus().cpus()).extracting(GuestConfig.CpuNode::boot).containsExactly(true, false);
        assertThat(config.gic().distributor()).isEqualTo(GuestTrees.GICD);
        assertThat(config.gic().redistributor()).isEqualTo(GuestTrees.GICD - 0x4_0000);
        assertThat(config.vdevices()).containsExactly(new DoorbellDevice(
                new Head("/hypervisor/bell-7", List.of(), 7, Peer.OWNER), false, true, 37));
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
        assertRefused(RmError.ARGUMENT_INVALID,
                root -> find(root, "/gunyah-vm-config/vdevices/bell-7").strings("peer", "vm-name:other"));
        assertRefused(RmError.ARGUMENT_INVALID, root -> find(root, "/gunyah-vm-config").cells("gic-irq-ranges", 1, 1));
        assertRefused(RmError.NORESOURCE,
                root -> find(root, "/gunyah-vm-config/vdevices/bell-7").strings("vdevice-type", "vrtc-pl031"));
    }

    @Test
    void everyKindOfDeviceIsRead() {
        GuestConfig config = parse(root -> {
            DtNode devices = find(root, "/gunyah-vm-config/vdevices");
            devices.remove(devices.child("bell-7").orElseThrow());
            devices.add("a").strings("vdevice-type", "message-queue").cells("label", 1).flag("peer-default")
                    .flag("is-sender").cells("message-size", 100).cells("queue-depth", 3).cells("interrupts", 2, 1, 1);
            devices.add("b").strings("vdevice-type", "message-queue-pair").cells("qcom,label", 2).cells("label", 9)
                    .strings("peer", "vm-name:other").cells("interrupts", 0, 1, 1, 0, 2, 1);
            devices.add("c").strings("vdevice-type", "shm-doorbell").strings("peer", "vm-uri:there").cells("label", 3)
                    .cells64("dma_base", 0x1000).add("memory").cells("label", 33).cells64("base", 0x9000_0000L);
            devices.add("d").strings("vdevice-type", "virtio-mmio").cells("label", 4).flag("peer-default")
                    .cells("vqs-num", 2).cells("virtio,device-type", 5).flag("dma-coherent")
                    .cells64("dma_base", 0x2000).cells("interrupts", 0, 2, 1)
                    .add("memory").cells("label", 44).cells64("base", 0x7000);
            devices.add("f").strings("vdevice-type", "iomem").flag("peer-default").strings("patch", "/uart")
                    .cells("qcom,rm_acl", 6, 4).cells("qcom,rm_attributes", 1, 1)
                    .cells64("qcom,rm_sglist", 0xa00_0000, 0x1000)
                    .add("memory").cells("label", 6).cells("qcom,mem-info-tag", 9);
            devices.add("e").strings("vdevice-type", "rm-rpc").flag("console-dev");
        });

        assertThat(config.vdevices()).containsExactly(
                new QueueDevice(head("a", 1, Peer.OWNER), true, 100, 3, 4097),
                new QueuePairDevice(head("b", 2, new Peer(Peer.Kind.NAME, "other")), 240, 8, 33, 34),
                new SharedMemoryDevice(head("c", 3, new Peer(Peer.Kind.URI, "there")), 33, Optional.of(0x9000_0000L),
                        false, true, Optional.of(0x1000L)),
                new VirtioDevice(head("d", 4, Peer.OWNER), 44, Optional.of(0x7000L), 2, Optional.of(5), 0x2000, true, 34),
                new IoMemoryDevice(new Head("/uart", List.of(), 0, Peer.OWNER), 6, Optional.of(9), List.of(6, 4),
                        List.of(1, 1), List.of(new MemRange(0xa00_0000, 0x1000))),
                new RpcDevice(head("e", 0, Peer.OWNER), 240, 8, 0, 0, true));
    }

    private static Head head(String name, int label, Peer peer) {
        return new Head("/hypervisor/" + name, List.of(), label, peer);
    }

    @Test
    void devicesThatContradictThemselvesAreRefused() {
        for (Consumer<DtNode> bad : List.<Consumer<DtNode>>of(
                n -> n.strings("vdevice-type", "message-queue"),
                n -> n.strings("vdevice-type", "message-queue").flag("is-sender").flag("is-receiver"),
                n -> n.strings("vdevice-type", "message-queue").flag("is-sender").cells("queue-depth", 256),
                n -> n.strings("vdevice-type", "message-queue-pair").cells("interrupts", 0, 1, 1),
                n -> n.strings("vdevice-type", "message-queue-pair").cells("message-size", 1024),
                n -> n.strings("vdevice-type", "rm-rpc").cells("message-size", 241),
                n -> n.strings("vdevice-type", "rm-rpc").cells("message-size", 232),
                n -> n.strings("vdevice-type", "virtio-mmio").cells("vqs-num", 17),
                n -> n.strings("vdevice-type", "virtio-mmio").strings("peer", "vm-name:other"),
                n -> n.strings("vdevice-type", "iomem").cells("qcom,rm_acl", 6),
                n -> n.strings("vdevice-type", "iomem").cells("qcom,rm_sglist", 0, 1, 0),
                n -> n.strings("peer", "vm-name:guest"), n -> n.strings("peer", "other"),
                n -> n.strings("peer", "vm-name:"), n -> n.strings("generate", "/"),
                n -> n.strings("push-compatible", "1", "2", "3", "4", "5", "6", "7"))) {
            assertRefused(RmError.ARGUMENT_INVALID, root -> {
                DtNode node = find(root, "/gunyah-vm-config/vdevices/bell-7");
                node.removeProperty("peer-default");
                bad.accept(node);
            });
        }
    }

    @Test
    void moreVcpusThanAllowedAreRefused() {
        assertThatThrownBy(() -> GuestConfigParser.parse(GuestTrees.guest(5), 4)).isInstanceOf(RmFault.class);
    }
}
