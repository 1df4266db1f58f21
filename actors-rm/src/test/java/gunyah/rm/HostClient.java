package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.Effect;
import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import gunyah.hyp.ObjectType;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import java.util.ArrayList;
import java.util.List;

/** The primary VM's driver, reduced to what tests need, on top of a Resource Manager that runs turn by turn. */
final class HostClient {
    final FakeHypervisor hyp;
    final List<RmMessage> received = new ArrayList<>();
    final FakeHypervisor.Obj cspace;
    private final BehaviorTestKit<ResourceManager.Command> rm;
    private final FakeHypervisor.Obj requests;
    private final FakeHypervisor.Obj answers;
    private final Reassembler reassembler = new Reassembler();
    private int sequence;

    HostClient(RmProfile profile) {
        this(new FakeHypervisor(2), profile);
    }

    HostClient(FakeHypervisor hyp, RmProfile profile) {
        this.hyp = hyp;
        rm = BehaviorTestKit.create(ResourceManager.create(hyp, hyp.env, profile, () -> 0x1122_3344_5566_7788L,
                RmTrace.NONE));
        cspace = hyp.all(ObjectType.CSPACE).get(1);
        List<FakeHypervisor.Obj> queues = hyp.all(ObjectType.MSGQUEUE);
        requests = queues.get(0);
        answers = queues.get(1);
        settle();
    }

    private HostClient(HostClient host) {
        hyp = host.hyp;
        rm = host.rm;
        cspace = hyp.all(ObjectType.CSPACE).get(2);
        List<FakeHypervisor.Obj> queues = hyp.all(ObjectType.MSGQUEUE);
        requests = queues.get(2);
        answers = queues.get(3);
    }

    /** {@return the client in the only guest, whose tree has an rm-rpc device} */
    HostClient guest() {
        return new HostClient(this);
    }

    /** Runs all turns that are due, naps included. */
    void settle() {
        boolean busy = true;
        while (busy) {
            busy = rm.selfInbox().hasMessages();
            while (rm.selfInbox().hasMessages()) {
                rm.runOne();
            }
            for (Effect effect : rm.getAllEffects()) {
                if (effect instanceof Effect.Scheduled<?> nap) {
                    rm.run((ResourceManager.Command) nap.message());
                    busy = true;
                }
            }
        }
    }

    /** Reads what the Resource Manager sent. */
    void read() {
        byte[] packet;
        while ((packet = hyp.receive(answers)) != null) {
            reassembler.accept(packet, packet.length).ifPresent(received::add);
            settle();
        }
    }

    /** Sends a request without waiting for anything. {@return its sequence} */
    int post(int id, byte[] payload) {
        int number = sequence++;
        for (byte[] packet : Fragmenter.split(new RmMessage(PacketType.REQUEST, number, id, payload))) {
            while (!hyp.send(requests, packet)) {
                settle();
            }
        }
        return number;
    }

    Reply call(MessageId id, Payload payload) {
        return call(id.id(), payload.encode());
    }

    Reply call(int id, byte[] payload) {
        int number = post(id, payload);
        settle();
        read();
        List<RmMessage> replies = received.stream()
                .filter(m -> m.type() == PacketType.REPLY && m.sequence() == number).toList();
        assertThat(replies).hasSize(1);
        assertThat(replies.getFirst().messageId()).isEqualTo(id);
        return Reply.decode(replies.getFirst().payload());
    }

    RmError error(MessageId id, Payload payload) {
        return call(id, payload).error().orElseThrow();
    }

    RmError error(MessageId id, int vmid) {
        return error(id, new VmRequest(vmid));
    }

    List<HypResource> resources(int vmid) {
        return HypResource.decode(call(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)).body());
    }

    HypResource resource(int vmid, ResourceType type, int label) {
        return resources(vmid).stream().filter(r -> r.type() == type.value() && r.label() == label).findFirst()
                .orElseThrow();
    }

    FakeHypervisor.Obj object(int vmid, ResourceType type, int label) {
        return hyp.object(cspace, resource(vmid, type, label).capId());
    }

    /** {@return states of a VM in the order they were told} */
    List<VmState> statuses(int vmid) {
        return received.stream().filter(m -> m.messageId() == MessageId.VM_STATUS.id())
                .map(m -> VmStatus.decode(m.payload())).filter(s -> s.vmid() == vmid)
                .map(s -> VmState.of(s.state())).toList();
    }

    List<VmExited> exits() {
        return received.stream().filter(m -> m.messageId() == MessageId.VM_EXITED.id())
                .map(m -> VmExited.decode(m.payload())).toList();
    }

    void write(long ipa, byte[] bytes) {
        hyp.access(hyp.addrspace(3), ipa, bytes, 0, bytes.length, true);
    }
}
