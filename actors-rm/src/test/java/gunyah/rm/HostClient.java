package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.Effect;
import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import gunyah.config.fdt.DtNode;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import gunyah.rm.rpc.WireReader;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** The primary VM's driver, reduced to what tests need, on top of a Resource Manager that runs turn by turn. */
final class HostClient {
    static final int IMAGE_SIZE = 0x4000;
    final FakeHypervisor hyp;
    final List<RmMessage> received = new ArrayList<>();
    final FakeHypervisor.Obj cspace;
    final ByteArrayOutputStream console = new ByteArrayOutputStream();
    int restarts;
    long answered;
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
                new RmTrace() {
                    @Override
                    public void answered(int vmid, RmMessage request, Reply reply) {
                        answered++;
                    }

                    @Override
                    public void console(int vmid, byte[] text) {
                        console.writeBytes(text);
                    }

                    @Override
                    public void restarted() {
                        restarts++;
                    }
                }));
        cspace = hyp.all(ObjectType.CSPACE).get(1);
        List<FakeHypervisor.Obj> queues = hyp.all(ObjectType.MSGQUEUE);
        requests = queues.get(0);
        answers = queues.get(1);
        settle();
    }

    private HostClient(HostClient host, int vmid) {
        hyp = host.hyp;
        rm = host.rm;
        cspace = hyp.cspace(vmid);
        requests = queue(Rights.MSGQUEUE_SEND);
        answers = queue(Rights.MSGQUEUE_RECEIVE);
    }

    private FakeHypervisor.Obj queue(int right) {
        return cspace.caps.values().stream()
                .filter(cap -> cap.object().type == ObjectType.MSGQUEUE && cap.rights() == right).findFirst()
                .orElseThrow().object();
    }

    /** {@return the client in a guest whose tree has an rm-rpc device} */
    HostClient guest(int vmid) {
        return new HostClient(this, vmid);
    }

    /** ALLOC_VMID, LEND of an image parcel with this tree, CONFIG_IMAGE. {@return the VMID} */
    int configure(DtNode tree, long parcel, int auth) {
        int vmid = new WireReader(call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32();
        write(parcel, new byte[IMAGE_SIZE]);
        write(parcel, GuestTrees.blob(tree));
        int handle = create(MessageId.MEM_LEND, 0, parcel, IMAGE_SIZE, new AclEntry(vmid, 7));
        assertThat(error(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, auth, handle, 0, 0, 0, IMAGE_SIZE)))
                .isEqualTo(RmError.OK);
        return vmid;
    }

    /** {@link #configure} and INIT. */
    int ready(DtNode tree, long parcel) {
        int vmid = configure(tree, parcel, 0);
        assertThat(error(MessageId.VM_INIT, vmid)).isEqualTo(RmError.OK);
        return vmid;
    }

    /** {@link #ready} and START. */
    int running(DtNode tree, long parcel) {
        int vmid = ready(tree, parcel);
        assertThat(error(MessageId.VM_START, vmid)).isEqualTo(RmError.OK);
        return vmid;
    }

    /** STOP with force, RESET and DEALLOC of a VM, whatever its state; its image parcel is reclaimed. */
    void end(int vmid, int imageHandle) {
        call(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
        call(MessageId.VM_RESET, new VmRequest(vmid));
        call(MessageId.MEM_RECLAIM, new ParcelReturn(imageHandle, 0));
        assertThat(error(MessageId.VM_DEALLOC_VMID, vmid)).isEqualTo(RmError.OK);
    }

    /** Makes a parcel that must succeed. {@return its handle} */
    int create(MessageId id, int label, long ipa, long size, AclEntry... acl) {
        Reply reply = call(id, new ParcelCreate(0, 0, label, List.of(acl), List.of(new MemRange(ipa, size)), List.of()));
        assertThat(reply.error()).contains(RmError.OK);
        return new WireReader(reply.body()).u32();
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

    /** {@return whether the Resource Manager listens: no longer once the VM was reset} */
    boolean isLinked() {
        return requests.lines.containsKey(1);
    }

    /** Sends one packet, whatever it holds, and takes what the Resource Manager answers. */
    void postRaw(byte[] packet) {
        while (!hyp.send(requests, packet)) {
            settle();
        }
        settle();
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

    /** {@return notifications of a kind, oldest first} */
    List<byte[]> news(MessageId id) {
        return received.stream().filter(m -> m.messageId() == id.id()).map(RmMessage::payload).toList();
    }

    void write(long ipa, byte[] bytes) {
        hyp.access(hyp.addrspace(3), ipa, bytes, 0, bytes.length, true);
    }
}
