package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.hyp.MachineState;
import gunyah.rm.Agent.Access;
import gunyah.rm.Agent.Visit;
import gunyah.rm.Agent.Visited;
import gunyah.rm.ParcelModel.News;
import gunyah.rm.ParcelModel.Parcel;
import gunyah.rm.ParcelModel.Piece;
import gunyah.rm.ParcelModel.View;
import gunyah.rm.ParcelModel.Vm;
import gunyah.rm.ParcelTraffic.Request;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The primary VM and three guests make, accept, release and reclaim parcels of the same pages at random, and now and
 * then a guest ends and is started again. Every answer is one that {@link ParcelModel} allows, and guest code loads,
 * stores and fetches instructions where the model says that its VM may, finds there what the model says, and faults
 * everywhere else. {@code -Dgunyah.rm-sequences=N} sets how many sequences of 50 steps, {@code -Dgunyah.seed} where
 * they begin.
 */
@Tag("guest")
class ParcelModelTest {
    private static final int SEQUENCES = Integer.getInteger("gunyah.rm-sequences", 150);
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_130L);
    private static final int STEPS = 50;
    private static final int LOOKS = 8;
    private static final int RESTARTS = 100;
    private static final int SAMPLE = 6;
    private static final int PAGES = 8;
    private static final long MEMORY = 0x5000_0000L;
    /** Each sequence has pages of its own: what changed hands lies in pieces ever after. */
    private static final long APART = (PAGES + 2) * (long) ParcelModel.PAGE;
    private static final int LAST_WORD = 0xff8;
    private static final List<MemRange> OWN = List.of(new MemRange(Agent.IMAGE_IPA, Agent.IMAGE_SIZE),
            new MemRange(Agent.PAGE_IPA, ParcelModel.PAGE));
    private static final Set<MessageId> NEWS = Set.of(MessageId.MEM_SHARED, MessageId.MEM_RELEASED,
            MessageId.MEM_ACCEPTED, MessageId.MEM_RECALL);

    /** What the test asks of a VM. */
    private interface Client {
        Reply ask(MessageId id, Payload payload);

        List<Visited> visit(List<Visit> visits);
    }

    /** Memory beside that of the sequences. */
    private static final long ROOM = MEMORY - 0x4000_0000L + (16 << 20);
    private static final long LARGE_PAGE = 2L << 20;

    private final RealHost host = new RealHost(4, ROOM + (SEQUENCES + 1) * APART + LARGE_PAGE - 1 & -LARGE_PAGE);
    private final Map<Integer, Client> clients = new HashMap<>();
    private final Map<Integer, Agent> agents = new HashMap<>();
    private int restarts;
    private final List<Vm> vms = new ArrayList<>();
    private final Map<RmError, Integer> answers = new EnumMap<>(RmError.class);
    private final Map<Access, int[]> accesses = new EnumMap<>(Access.class);
    private final List<String> trace = new ArrayList<>();
    private final Map<Integer, Set<Long>> places = new HashMap<>();
    private ParcelModel model;
    private MemRange pool;
    private int lastValue;

    @AfterEach
    void stop() {
        host.close();
    }

    private void machine() {
        join(new Vm(3, true, List.of()), new Client() {
            @Override
            public Reply ask(MessageId id, Payload payload) {
                return host.request(id, payload);
            }

            @Override
            public List<Visited> visit(List<Visit> visits) {
                return visits.stream().map(ParcelModelTest.this::visit).toList();
            }
        });
        for (int i = 1; i <= 3; i++) {
            Agent agent = new Agent(host, Agent.tree("vm" + i, i), 0x4300_0000L + i * 0x10_0000L);
            agent.start();
            agent.run();
            agents.put(agent.vmid, agent);
            join(new Vm(agent.vmid, false, OWN), new Client() {
                @Override
                public Reply ask(MessageId id, Payload payload) {
                    return agent.exchange(id, payload);
                }

                @Override
                public List<Visited> visit(List<Visit> visits) {
                    return agent.visit(visits);
                }
            });
        }
    }

    private void join(Vm vm, Client client) {
        vms.add(vm);
        clients.put(vm.vmid, client);
    }

    private Visited visit(Visit visit) {
        byte[] word = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(visit.value()).array();
        try {
            if (visit.access() == Access.LOAD) {
                host.port.read(visit.ipa(), word, 0, word.length);
            } else {
                host.port.write(visit.ipa(), word, 0, word.length);
            }
            return new Visited(true, ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN).getLong());
        } catch (ExternalAbort abort) {
            return new Visited(false, 0);
        }
    }

    @Test
    @Invariant({"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "M10"})
    void everyAnswerIsTheModelsAndEveryPageIsReachedByExactlyWhomItSays() {
        System.out.printf("ParcelModelTest: seed %d, %d sequences of %d steps%n", SEED, SEQUENCES, STEPS);
        MachineState before = host.atRest();
        machine();
        List<Long> lowest = guests().stream().map(this::lowest).toList();

        for (int i = 0; i < SEQUENCES; i++) {
            sequence(SEED + i, i);
        }

        System.out.printf("ParcelModelTest: answers %s; %d guests ended and started again; accesses allowed, refused: "
                + "%s%n", answers, restarts, described());
        assertThat(guests().stream().map(this::lowest).toList()).as("lowest free addresses").isEqualTo(lowest);
        agents.values().forEach(agent -> {
            end(agent);
            host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(agent.vmid));
        });
        host.awaitSame(before, "what is left");
    }

    private List<Vm> guests() {
        return vms.subList(1, vms.size());
    }

    private String described() {
        StringBuilder text = new StringBuilder();
        accesses.forEach((access, counts) -> text.append(" %s %d, %d".formatted(access, counts[0], counts[1])));
        return text.toString().trim();
    }

    /** {@return the lowest address that is free in a guest: where the Resource Manager puts one page} */
    private long lowest(Vm guest) {
        MemRange page = new MemRange(MEMORY - ParcelModel.PAGE, ParcelModel.PAGE);
        long ipa = donate(vms.getFirst(), page, guest).skip(4).u64();
        donate(guest, new MemRange(ipa, page.size()), vms.getFirst());
        return ipa;
    }

    private WireReader donate(Vm from, MemRange range, Vm to) {
        Reply made = clients.get(from.vmid).ask(MessageId.MEM_DONATE, donation(to, range));
        assertThat(made.error()).contains(RmError.OK);
        int handle = new WireReader(made.body()).u32();
        Reply accepted = clients.get(to.vmid).ask(MessageId.MEM_ACCEPT, accept(handle, ParcelTransfer.DONATE));
        assertThat(accepted.error()).contains(RmError.OK);
        return new WireReader(accepted.body());
    }

    private static ParcelCreate donation(Vm to, MemRange range) {
        return new ParcelCreate(0, 0, 0, List.of(new AclEntry(to.vmid, 7)), List.of(range), List.of());
    }

    private static ParcelAccept accept(int handle, ParcelTransfer transfer) {
        return new ParcelAccept(handle, 0, transfer.ordinal(), ParcelAccept.DONE, 0, List.of(), List.of(), 0,
                List.of());
    }

    private void sequence(long seed, int number) {
        pool = new MemRange(MEMORY + number * APART, PAGES * (long) ParcelModel.PAGE);
        Random random = new Random(seed);
        vms.replaceAll(vm -> vm.direct ? new Vm(vm.vmid, true, around(pool)) : vm.anew());
        places.clear();
        trace.clear();
        host.forget();
        model = new ParcelModel(vms, pool);
        try {
            ParcelTraffic traffic = new ParcelTraffic(random, model, vms, pool);
            for (int step = 0; step < STEPS; step++) {
                if (random.nextInt(RESTARTS) == 0) {
                    List<Vm> owners = guests().stream().filter(vm -> !vm.owned().isEmpty()).toList();
                    List<Vm> some = owners.isEmpty() ? guests() : owners;
                    restart(some.get(random.nextInt(some.size())));
                }
                step(traffic.next());
                if (random.nextInt(LOOKS) == 0) {
                    look(random, SAMPLE);
                }
            }
            look(random, Integer.MAX_VALUE);
            giveBack();
            look(random, Integer.MAX_VALUE);
            hear();
        } catch (AssertionError wrong) {
            throw new AssertionError("sequence of seed %d:%n%s".formatted(seed, String.join("\n", trace)), wrong);
        }
    }

    /** {@return all other memory, which is the primary VM's for good} */
    private static List<MemRange> around(MemRange pool) {
        long end = pool.base() + pool.size();
        return List.of(new MemRange(0, pool.base()), new MemRange(end, Long.MAX_VALUE - end));
    }

    private void step(Request request) {
        Set<RmError> refusals = model.refusals(request.caller(), request.id(), request.payload());
        trace.add("VM %d %s %s: %s".formatted(request.caller().vmid, request.id(), request.payload(), refusals));
        Reply reply = clients.get(request.caller().vmid).ask(request.id(), request.payload());
        RmError error = reply.error().orElseThrow();
        answers.merge(error, 1, Integer::sum);
        assertThat(error).isIn(refusals.isEmpty() ? Set.of(RmError.OK) : refusals);
        if (error == RmError.OK) {
            model.done(request.caller(), request.id(), request.payload(), reply.body());
        }
    }

    private void end(Agent agent) {
        host.ok(MessageId.VM_STOP, new StopRequest(agent.vmid, 1, 3));
        host.ok(MessageId.VM_RESET, new VmRequest(agent.vmid));
        host.awaitState(agent.vmid, VmState.RESET);
        agent.handles().forEach(handle -> host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0)));
    }

    /** A guest ends, whatever it owns and borrows, and is started again. */
    private void restart(Vm vm) {
        Agent agent = agents.get(vm.vmid);
        trace.add("VM %d ends".formatted(vm.vmid));
        restarts++;
        end(agent);
        model.ended(vm, agent.handles());
        // START accepts what names the VM.
        for (Parcel parcel : model.parcels()) {
            if (!parcel.isOrphan() && parcel.rights(vm.vmid).isPresent()) {
                giveBack(parcel);
            }
        }
        agent.start();
        agent.run();
    }

    /** Guest code tries some of the places where its VM has, had or may have a page. */
    private void look(Random random, int sample) {
        for (Vm vm : vms) {
            Map<Long, View> views = model.views(vm);
            Set<Long> known = places.computeIfAbsent(vm.vmid, key -> new TreeSet<>());
            known.addAll(views.keySet());
            if (vm.direct) {
                known.addAll(ParcelModel.pages(pool.base(), pool.size()));
            }
            List<Long> some = new ArrayList<>(known);
            Collections.shuffle(some, random);
            look(vm, views, some.subList(0, Math.min(sample, some.size())));
        }
    }

    private void look(Vm vm, Map<Long, View> views, List<Long> ipas) {
        List<Visit> visits = new ArrayList<>();
        for (long ipa : ipas) {
            // Two instructions that are not defined, by which an instruction that was fetched is known.
            lastValue++;
            long value = lastValue & 0xffffL | (lastValue >>> 16 & 0xffffL) << 32;
            visits.add(new Visit(Access.LOAD, ipa, 0));
            visits.add(new Visit(Access.LOAD, ipa + LAST_WORD, 0));
            if (!vm.direct && (!views.containsKey(ipa) || !views.get(ipa).device())) {
                visits.add(new Visit(Access.FETCH, ipa, 0));
            }
            visits.add(new Visit(Access.STORE, ipa, value));
            visits.add(new Visit(Access.STORE, ipa + LAST_WORD, value));
        }
        List<Visited> visited = clients.get(vm.vmid).visit(visits);
        for (int i = 0; i < visits.size(); i++) {
            check(vm, views, visits.get(i), visited.get(i));
        }
    }

    private void check(Vm vm, Map<Long, View> views, Visit visit, Visited visited) {
        long ipa = visit.ipa() & -ParcelModel.PAGE;
        View view = views.getOrDefault(ipa, new View(0, 0, false));
        int right = switch (visit.access()) {
            case LOAD -> AclEntry.R;
            case STORE -> AclEntry.W;
            case FETCH -> AclEntry.X;
        };
        boolean allowed = (view.rights() & right) != 0;
        accesses.computeIfAbsent(visit.access(), key -> new int[2])[allowed ? 0 : 1]++;
        assertThat(visited.reached()).as("VM %d, %s at %x, %s", vm.vmid, visit.access(), visit.ipa(), view)
                .isEqualTo(allowed);
        if (allowed && visit.access() == Access.LOAD) {
            assertThat(visited.value()).as("VM %d at %x, %s", vm.vmid, visit.ipa(), view)
                    .isEqualTo(model.content(view.page()));
        } else if (allowed && visit.ipa() != ipa) {
            model.wrote(view.page(), visit.value());
        }
    }

    /** All borrowers release, all owners reclaim, and guests give the primary VM what it donated. */
    private void giveBack() {
        model.parcels().forEach(this::giveBack);
        for (Vm vm : guests()) {
            for (Piece piece : vm.owned()) {
                step(new Request(vm, MessageId.MEM_DONATE,
                        donation(vms.getFirst(), new MemRange(piece.ipa(), piece.size()))));
                step(new Request(vms.getFirst(), MessageId.MEM_ACCEPT,
                        accept(model.parcels().iterator().next().handle, ParcelTransfer.DONATE)));
            }
        }
    }

    private void giveBack(Parcel parcel) {
        for (Vm vm : vms) {
            if (parcel.isHeldBy(vm)) {
                step(new Request(vm, MessageId.MEM_RELEASE, new ParcelReturn(parcel.handle, 0)));
            }
        }
        if (!parcel.isOrphan()) {
            step(new Request(parcel.owner, MessageId.MEM_RECLAIM, new ParcelReturn(parcel.handle, 0)));
        }
    }

    private void hear() {
        await().atMost(Duration.ofSeconds(RealHost.LIMIT_SECONDS)).pollInterval(Duration.ofMillis(1))
                .pollDelay(Duration.ZERO).until(() -> heard().size() >= model.news().size());
        assertThat(heard()).as("news for the primary VM").isEqualTo(model.news());
    }

    private List<News> heard() {
        return host.told().stream().flatMap(m -> MessageId.of(m.messageId()).filter(NEWS::contains)
                .map(id -> News.of(id, m.payload())).stream()).toList();
    }
}
