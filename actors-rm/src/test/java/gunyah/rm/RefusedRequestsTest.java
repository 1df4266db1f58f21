package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketHeader;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Mutated requests of the primary VM about a VM that runs and one that is being made, and some that are refused half
 * way: those that are refused leave every kernel object, mapping, capability and page as it was.
 * {@code -Dgunyah.rm.refused=N} sets how many requests.
 */
@Tag("guest")
class RefusedRequestsTest {
    private static final int REQUESTS = Integer.getInteger("gunyah.rm.refused", 400);
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_130L);
    private static final long MEMORY = 0x4300_0000L;
    /** What ends a VM, or changes its state when it fails. */
    private static final Set<MessageId> FINAL = EnumSet.of(MessageId.VM_STOP, MessageId.VM_RESET,
            MessageId.VM_DEALLOC_VMID, MessageId.VM_CONFIG_IMAGE, MessageId.VM_INIT, MessageId.VM_START);

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    @Test
    @Invariant({"T5", "M9"})
    void aRequestThatIsRefusedChangesNothing() {
        System.out.printf("RefusedRequestsTest: seed %d, %d requests%n", SEED, REQUESTS);
        Agent running = new Agent(host, Agent.tree("runs", 1), 0x4400_0000L);
        running.start();
        running.run();
        int made = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
        int open = new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(0, ParcelCreate.MORE_FOLLOWS, 5,
                List.of(new AclEntry(3, 6), new AclEntry(running.vmid, 6)), List.of(new MemRange(MEMORY, 0x3000)),
                List.of()))).u32();
        Random random = new Random(SEED);
        List<Mutants> mutants = List.of(new Mutants(random, running.vmid, FINAL), new Mutants(random, made, FINAL));
        Set<RmError> errors = EnumSet.noneOf(RmError.class);
        MachineState before = host.atRest();

        for (int sent = 0; sent < REQUESTS; sent++) {
            byte[] frame = random.nextInt(4) == 0 ? refusedHalfWay(random, open, made)
                    : mutants.get(random.nextInt(2)).next();
            Optional<MessageId> id = request(frame);
            while (id.isEmpty()) {
                frame = mutants.get(random.nextInt(2)).next();
                id = request(frame);
            }
            byte[] payload = Arrays.copyOfRange(frame, PacketHeader.SIZE, frame.length);
            Reply reply = host.request(id.get(), () -> payload);
            RmError error = reply.error().orElseThrow();
            errors.add(error);
            if (error == RmError.OK) {
                before = host.atRest();
            } else {
                host.awaitSame(before, "%s %s, answered %s".formatted(id.get(), Arrays.toString(frame), error));
            }
        }

        assertThat(errors).hasSizeGreaterThan(6);
        assertThat(new WireReader(host.ok(MessageId.VM_GET_STATE, new VmRequest(running.vmid))).u8())
                .isEqualTo(VmState.RUNNING.value());
        assertThat(new WireReader(host.ok(MessageId.VM_GET_STATE, new VmRequest(made))).u8())
                .isEqualTo(VmState.LOAD.value());
        assertThat(running.load(Agent.IMAGE_IPA)).isPresent();
    }

    /** {@return a request about a page that is free and one that is in a parcel} */
    private static byte[] refusedHalfWay(Random random, int open, int vmid) {
        List<MemRange> ranges = List.of(new MemRange(MEMORY + 0x8000, 0x1000), new MemRange(MEMORY, 0x1000));
        MessageId id = List.of(MessageId.MEM_LEND, MessageId.MEM_SHARE, MessageId.MEM_DONATE, MessageId.MEM_APPEND)
                .get(random.nextInt(4));
        List<AclEntry> acl = id == MessageId.MEM_SHARE ? List.of(new AclEntry(3, 7), new AclEntry(vmid, 7))
                : List.of(new AclEntry(vmid, 7));
        Payload payload = id == MessageId.MEM_APPEND ? new ParcelAppend(open, ParcelAppend.LAST, ranges)
                : new ParcelCreate(0, 0, 5, acl, ranges, List.of());
        return Fragmenter.split(new RmMessage(PacketType.REQUEST, 0, id.id(), payload.encode())).getFirst();
    }

    /** {@return the request that a frame is as a whole, unless it ends a VM} */
    private static Optional<MessageId> request(byte[] frame) {
        if (frame.length < PacketHeader.SIZE || frame[0] != 0x21 || frame[1] != 1) {
            return Optional.empty();
        }
        return MessageId.of(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN).getInt(4))
                .filter(id -> !id.isNotification() && !FINAL.contains(id));
    }
}
