package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import java.util.ArrayList;
import java.util.List;

/** Two VMs that are joined by queues, a doorbell and memory are made and started, and use these. */
final class JoinScene implements Scene {
    private static final long MEMORY = 0x4300_0000L;
    private static final int HOST = 3;
    private static final int RW = 6;
    private static final int BELL = 22;
    private static final long SHARED_IPA = 0x9100_0000L;

    private final RealHost host;

    JoinScene(RealHost host) {
        this.host = host;
    }

    private DtNode tree(String name, String peer, int cpu) {
        DtNode root = Agent.tree(name, cpu);
        DtNode devices = GuestTrees.devices(root);
        device(devices, "queues", "message-queue-pair", peer).cells("message-size", 64).cells("queue-depth", 4);
        device(devices, "ring", name.equals("a") ? "doorbell-source" : "doorbell", peer);
        devices.add("buffer").strings("vdevice-type", "shm").strings("generate", "/hypervisor/buffer")
                .cells("label", BELL).flag("peer-default")
                .add("memory").cells("label", BELL).cells64("base", SHARED_IPA);
        return root;
    }

    private DtNode device(DtNode devices, String name, String type, String peer) {
        return devices.add(name).strings("vdevice-type", type).strings("generate", "/hypervisor/" + name)
                .cells("label", BELL).strings("peer", "vm-name:" + peer);
    }

    @Override
    public void act(Life life) {
        List<Agent> both = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            boolean first = name.equals("a");
            life.tries(() -> both.add(life.agent(() -> new Agent(host, tree(name, first ? "b" : "a", first ? 1 : 2),
                    first ? 0x4400_0000L : 0x4500_0000L))));
        }
        List<AclEntry> acl = new ArrayList<>(List.of(new AclEntry(HOST, RW)));
        both.forEach(vm -> acl.add(new AclEntry(vm.vmid, RW)));
        life.tries(() -> life.parcel(MessageId.MEM_SHARE, 0, BELL, acl, new MemRange(MEMORY, 0x1000)));
        both.forEach(vm -> life.tries(vm::start));
        both.forEach(vm -> life.tries(vm::run));
        if (life.refusals().isEmpty()) {
            life.tries(() -> talk(both.getFirst(), both.getLast()));
        }
    }

    private void talk(Agent from, Agent to) {
        assertThat(from.call(0x12, from.capability("qcom,gunyah-doorbell-source", BELL), 1)[0]).isZero();
        assertThat(to.call(0x13, to.capability("qcom,gunyah-doorbell", BELL), -1)).startsWith(0, 1);
        assertThat(from.store(SHARED_IPA, 0x88)).isTrue();
        assertThat(to.load(SHARED_IPA)).contains(0x88L);
    }
}
