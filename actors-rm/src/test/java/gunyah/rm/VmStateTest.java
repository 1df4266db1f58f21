package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.AuthImage;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.TimeBase;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Every request about a VM in every state: what it is answered, and what becomes of the VM. The table is the
 * specification (resource-manager.md 2.1 and 4.2); PAUSED is missing because nothing leads there.
 */
class VmStateTest {
    private static final long MEMORY = 0x4800_0000L;
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_130L);
    private static final int STEPS = Integer.getInteger("gunyah.rm.state-steps", 2_000);

    /**
     * A dot is VM_STATE, "arg" ARGUMENT_INVALID, "none" NORESOURCE; "ok" stays where it is, a state is where it goes
     * with OK. Of RESETTING only the answers are looked at. LOAD in place of a VM that was deallocated: its VMID is
     * given out again.
     */
    private static final String TABLE = """
            .                       LOAD AUTH INIT  READY   RUNNING INIT_FAILED EXITED RESETTING RESET
            VM_CONFIG_IMAGE         INIT .    .     .       .       .           .      .         INIT
            VM_AUTH_IMAGE           .    INIT .     .       .       .           .      .         .
            VM_SET_FIRMWARE_MEM     .    .    arg   .       .       .           .      .         .
            VM_SET_DEMAND_PAGING    .    .    ok    .       .       .           .      .         .
            VM_SET_ADDRESS_LAYOUT   .    .    ok    .       .       .           .      .         .
            VM_INIT                 .    .    READY .       .       .           .      .         .
            VM_SET_BOOT_CONTEXT     .    .    .     ok      .       .           .      .         .
            VM_SET_BOOT_CONTEXT_V16 .    .    .     ok      .       .           .      .         .
            VM_SET_TIME_BASE        .    .    arg   arg     .       .           .      .         .
            VM_START                .    .    .     RUNNING .       .           .      .         .
            VM_STOP                 .    .    .     .       EXITED  .           .      .         .
            VM_RESET                .    .    .     RESET   .       RESET       RESET  .         .
            VM_DEALLOC_VMID         LOAD .    LOAD  .       .       LOAD        .      .         LOAD
            VM_GET_ID               .    .    .     ok      ok      .           .      .         .
            VM_GET_STATE            ok   ok   ok    ok      ok      ok          ok     ok        ok
            VM_GET_CRASH_MSG        ok   ok   ok    ok      ok      ok          ok     ok        ok
            VM_GET_HYP_RESOURCES    none none none  ok      ok      none        ok     ok        none
            """;

    /** Each state and those it may be entered from. */
    private static final String EDGES = """
            AUTH LOAD RESET
            INIT LOAD AUTH RESET
            READY INIT
            RUNNING READY PAUSED
            PAUSED RUNNING
            INIT_FAILED LOAD AUTH INIT READY RESET
            EXITED RUNNING PAUSED
            RESETTING EXITED READY INIT_FAILED
            RESET RESETTING
            """;
    private static final Set<MessageId> OF_THE_CALLER = EnumSet.of(MessageId.VM_EXIT, MessageId.VM_SET_STATUS,
            MessageId.VM_SET_CRASH_MSG, MessageId.VM_GET_VMID, MessageId.VM_GET_OWNER, MessageId.VM_GET_PEERS,
            MessageId.IPA_RESERVE);
    private static final int NO_SUCH_AUTH = 3;

    private final Random random = new Random(SEED);
    /** Image parcels that exist, by where they are. */
    private final Map<Long, Integer> images = new TreeMap<>();
    private HostClient host;
    private int vm;

    private static Map<MessageId, Map<VmState, String>> table() {
        List<String[]> rows = TABLE.lines().map(line -> line.split(" +")).toList();
        Map<MessageId, Map<VmState, String>> table = new LinkedHashMap<>();
        for (String[] row : rows.subList(1, rows.size())) {
            Map<VmState, String> cells = new EnumMap<>(VmState.class);
            for (int i = 1; i < row.length; i++) {
                cells.put(VmState.valueOf(rows.getFirst()[i]), row[i]);
            }
            table.put(MessageId.valueOf(row[0]), cells);
        }
        return table;
    }

    /** In a fresh machine. */
    private void become(VmState state) {
        host = new HostClient(RmProfile.large());
        images.clear();
        vm = new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32();
        if (state == VmState.INIT_FAILED) {
            assertThat(ask(MessageId.VM_CONFIG_IMAGE, config(NO_SUCH_AUTH))).isEqualTo(RmError.ARGUMENT_INVALID);
        }
        if (state == VmState.AUTH) {
            assertThat(ask(MessageId.VM_CONFIG_IMAGE, config(ConfigImage.AUTH_PLATFORM))).isEqualTo(RmError.OK);
        }
        List<VmState> way = List.of(VmState.LOAD, VmState.INIT, VmState.READY, VmState.RUNNING, VmState.EXITED,
                VmState.RESET);
        List<MessageId> steps = List.of(MessageId.VM_CONFIG_IMAGE, MessageId.VM_INIT, MessageId.VM_START,
                MessageId.VM_STOP, MessageId.VM_RESET);
        for (int i = 0; i < way.indexOf(state == VmState.RESETTING ? VmState.EXITED : state); i++) {
            assertThat(ask(steps.get(i), i == 0 ? config(0) : request(steps.get(i)))).isEqualTo(RmError.OK);
        }
    }

    private Payload config(int auth) {
        reclaim();
        long image = MEMORY;
        while (images.containsKey(image)) {
            image += HostClient.IMAGE_SIZE;
        }
        host.write(image, new byte[HostClient.IMAGE_SIZE]);
        host.write(image, GuestTrees.blob(tree()));
        int handle = host.create(MessageId.MEM_LEND, 0, image, HostClient.IMAGE_SIZE, new AclEntry(vm, 7));
        images.put(image, handle);
        return new ConfigImage(vm, auth, handle, 0, 0, 0, HostClient.IMAGE_SIZE);
    }

    // Of a VM that the hypervisor schedules: its image comes back by requests alone.
    private static DtNode tree() {
        DtNode tree = GuestTrees.linked("a");
        tree.find("/gunyah-vm-config/vcpus").orElseThrow().strings("affinity", "static").cells("affinity-map", 0)
                .cells("sched-priority", -1).cells("sched-timeslice", 5000);
        return tree;
    }

    private void reclaim() {
        images.values().removeIf(handle -> ask(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0)) == RmError.OK);
    }

    private Payload request(MessageId id) {
        return switch (id) {
            case VM_CONFIG_IMAGE -> new ConfigImage(vm, 0, 0, 0, 0, 0, 0);
            case VM_AUTH_IMAGE -> new AuthImage(vm, List.of());
            case VM_SET_FIRMWARE_MEM -> new FirmwareMemory(vm, 0, 0, 0x1000);
            case VM_SET_DEMAND_PAGING -> new DemandPaging(vm, List.of());
            case VM_SET_ADDRESS_LAYOUT -> new AddressLayout(vm, 0, 0x8000_0000L, HostClient.IMAGE_SIZE);
            case VM_SET_BOOT_CONTEXT, VM_SET_BOOT_CONTEXT_V16 -> new BootContext(vm, 1, 0, 0);
            case VM_SET_TIME_BASE -> new TimeBase(vm, 0, 0);
            case VM_STOP -> new StopRequest(vm, 1, 3);
            default -> new VmRequest(vm);
        };
    }

    private RmError ask(MessageId id, Payload payload) {
        return host.error(id, payload);
    }

    private VmState state() {
        return VmState.of(new WireReader(host.call(MessageId.VM_GET_STATE, new VmRequest(vm)).body()).u8());
    }

    @Test
    void theTableNamesEveryRequestAboutAVmInEveryState() {
        Set<VmState> states = EnumSet.complementOf(EnumSet.of(VmState.NONE, VmState.PAUSED));
        assertThat(table().values()).allMatch(cells -> cells.keySet().equals(states));
        assertThat(table().keySet()).containsExactlyInAnyOrderElementsOf(new MessageTable().rows().stream()
                .filter(row -> row.scope().statesInWords().isPresent() || row.scope().isAboutTarget()
                        || table().containsKey(row.id()))
                .map(MessageRow::id).filter(id -> !OF_THE_CALLER.contains(id)).toList());
    }

    @Test
    @Invariant({"S1", "S3"})
    void everyRequestInEveryStateIsAnsweredAsTheTableSays() {
        table().forEach((id, cells) -> cells.forEach((state, cell) -> {
            become(state);
            assertThat(state == VmState.RESETTING ? VmState.EXITED : state()).as("made").isEqualTo(
                    state == VmState.RESETTING ? VmState.EXITED : state);
            if (state == VmState.RESETTING) {
                assertThat(whileResetting(id)).as("%s while it resets", id).isEqualTo(answer(cell));
            } else {
                check(id, state, cell);
            }
            isAPath(host.statuses(vm));
        }));
    }

    // The work of a reset is done in small steps; the next request is served before the first of them.
    private RmError whileResetting(MessageId id) {
        Payload payload = request(id);
        host.post(MessageId.VM_RESET.id(), new VmRequest(vm).encode());
        int asked = host.post(MessageId.VM_GET_STATE.id(), new VmRequest(vm).encode());
        int wanted = host.post(id.id(), payload.encode());
        host.settle();
        host.read();
        assertThat(new WireReader(reply(asked).body()).u8()).isEqualTo(VmState.RESETTING.value());
        assertThat(state()).isEqualTo(VmState.RESET);
        return reply(wanted).error().orElseThrow();
    }

    private Reply reply(int sequence) {
        return Reply.decode(host.received.stream()
                .filter(m -> m.type() == PacketType.REPLY && m.sequence() == sequence).map(RmMessage::payload)
                .findFirst().orElseThrow());
    }

    private static RmError answer(String cell) {
        return switch (cell) {
            case "." -> RmError.VM_STATE;
            case "arg" -> RmError.ARGUMENT_INVALID;
            case "none" -> RmError.NORESOURCE;
            default -> RmError.OK;
        };
    }

    private static boolean isState(String cell) {
        return EnumSet.allOf(VmState.class).stream().anyMatch(state -> state.name().equals(cell));
    }

    /** {@return the state after a request} */
    private VmState check(MessageId id, VmState before, String cell) {
        boolean configures = id == MessageId.VM_CONFIG_IMAGE && answer(cell) == RmError.OK;
        Payload payload = configures ? config(0) : request(id);
        if (id == MessageId.VM_DEALLOC_VMID && answer(cell) == RmError.OK) {
            // A VM that a parcel names stays.
            reclaim();
        }
        int told = host.statuses(vm).size();
        assertThat(ask(id, payload)).as("%s in %s", id, before).isEqualTo(answer(cell));
        host.read();
        if (id == MessageId.VM_DEALLOC_VMID && answer(cell) == RmError.OK) {
            assertThat(ask(MessageId.VM_GET_STATE, new VmRequest(vm))).isEqualTo(RmError.NORESOURCE);
            assertThat(new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32())
                    .isEqualTo(vm);
        }
        if (id != MessageId.VM_RESET) {
            List<RmMessage> all = host.received;
            assertThat(all.subList(lastReply(all, id), all.size())).as("news come before the answer to %s", id)
                    .noneMatch(m -> m.messageId() == MessageId.VM_STATUS.id());
        }
        VmState after = isState(cell) ? VmState.valueOf(cell) : before;
        assertThat(state()).as("%s in %s", id, before).isEqualTo(after);
        List<VmState> news = host.statuses(vm).subList(told, host.statuses(vm).size());
        assertThat(news).as("told of %s in %s", id, before).isEqualTo(after == before || after == VmState.LOAD
                ? List.of() : after == VmState.RESET ? List.of(VmState.RESETTING, VmState.RESET) : List.of(after));
        return after;
    }

    private static int lastReply(List<RmMessage> messages, MessageId id) {
        int at = messages.size() - 1;
        while (messages.get(at).type() != PacketType.REPLY || messages.get(at).messageId() != id.id()) {
            at--;
        }
        return at;
    }

    private static void isAPath(List<VmState> statuses) {
        VmState at = VmState.LOAD;
        for (VmState next : statuses) {
            String edge = at.name();
            assertThat(EDGES.lines().map(line -> List.of(line.split(" ")))
                    .filter(states -> states.getFirst().equals(next.name()))
                    .anyMatch(states -> states.subList(1, states.size()).contains(edge)))
                    .as("%s to %s in %s", at, next, statuses).isTrue();
            at = next;
        }
    }

    @Test
    @Invariant({"S1", "S4", "T4"})
    void noOrderOfRequestsLeavesTheGraph() {
        Map<MessageId, Map<VmState, String>> table = table();
        List<MessageId> ids = List.copyOf(table.keySet());
        become(VmState.LOAD);
        VmState at = VmState.LOAD;
        Set<VmState> been = EnumSet.of(at);
        List<String> trace = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            MessageId id = ids.get(random.nextInt(ids.size()));
            boolean configures = id == MessageId.VM_CONFIG_IMAGE && !table.get(id).get(at).equals(".");
            trace.add(at + " " + id);
            try {
                at = configures ? configure() : check(id, at, table.get(id).get(at));
            } catch (AssertionError wrong) {
                throw new AssertionError("seed %d: %s".formatted(SEED, trace), wrong);
            }
            been.add(at);
            if (at == VmState.LOAD) {
                isAPath(host.statuses(vm));
                host.received.clear();
            }
        }
        isAPath(host.statuses(vm));
        assertThat(been).isEqualTo(EnumSet.complementOf(EnumSet.of(VmState.NONE, VmState.PAUSED, VmState.RESETTING)));
        System.out.printf("VmStateTest: seed %d, %d requests%n", SEED, STEPS);
    }

    private VmState configure() {
        int auth = random.nextInt(3);
        boolean known = auth < 2;
        assertThat(ask(MessageId.VM_CONFIG_IMAGE, config(known ? auth : NO_SUCH_AUTH)))
                .isEqualTo(known ? RmError.OK : RmError.ARGUMENT_INVALID);
        VmState after = !known ? VmState.INIT_FAILED : auth == 0 ? VmState.INIT : VmState.AUTH;
        assertThat(state()).isEqualTo(after);
        return after;
    }
}
