package gunyah.hyp;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.AddrspaceCalls;
import gunyah.hyp.addrspace.DevicePages;
import gunyah.hyp.addrspace.Vmids;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.cspace.CSpaceCalls;
import gunyah.hyp.doorbell.Doorbell;
import gunyah.hyp.doorbell.DoorbellCalls;
import gunyah.hyp.memextent.MemExtent;
import gunyah.hyp.memextent.MemoryTree;
import gunyah.hyp.memextent.MappingCalls;
import gunyah.hyp.memextent.MemExtentCalls;
import gunyah.hyp.msgqueue.MsgQueue;
import gunyah.hyp.msgqueue.MsgQueueCalls;
import gunyah.hyp.partition.Partition;
import gunyah.hyp.partition.PartitionCalls;
import gunyah.memory.FrameOwners;
import gunyah.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A hypervisor without vCPUs for tests: 64 MiB of RAM at 1 GiB, a root cspace and address space, the root extent, and a
 * caller like the Resource Manager. Calls go through the real table.
 */
public final class Machine implements AutoCloseable {
    public static final long RAM = 0x4000_0000L;
    public static final long RAM_SIZE = 64L << 20;
    public static final long SPAN = RAM + RAM_SIZE;
    public static final long ALL_RWX_SPARSE = 0x1_0007L;
    public static final long RWX_BASIC = 0x0_0007L;

    /** The actor system of all light machines of this JVM; object ids are actor names, so they share the source too. */
    private static final class Shared {
        static final ActorTestKit KIT = ActorTestKit.create("machines",
                ConfigFactory.parseString("akka.daemonic = on").withFallback(ConfigFactory.load()));
        static final IdSource IDS = new IdSource();
    }

    public final ActorTestKit kit;
    public final PhysicalMemory memory = new PhysicalMemory(SPAN);
    public final IdSource ids;
    private final boolean ownsKit;
    /** Every object made by a call, in order. */
    public final List<KernelObject> made = new ArrayList<>();
    public final ObjectRegistry objects = new ObjectRegistry();
    public final Partition partition;
    public final FrameOwners owners = new FrameOwners(SPAN >> 12, IdSource.HYPERVISOR);
    public final MemoryTree tree = new MemoryTree(memory, owners);
    public final CSpace cspace;
    private final Vmids vmids = new Vmids();
    private final Random random = new Random(1);
    public final HypercallTable table;
    public final Addrspace rootSpace;
    public final MemExtent rootExtent;
    public final long partitionCap;
    public final long cspaceCap;
    public final long rootSpaceCap;
    public final long rootExtentCap;
    public final Caller caller;
    public long timeNs;

    public Machine() {
        this(ActorTestKit.create("machine", ConfigFactory.load()), new IdSource(), true);
    }

    /** {@return a machine that costs little: it shares its actor system with others like it} */
    public static Machine light() {
        return new Machine(Shared.KIT, Shared.IDS, false);
    }

    private Machine(ActorTestKit kit, IdSource ids, boolean ownsKit) {
        this.kit = kit;
        this.ids = ids;
        this.ownsKit = ownsKit;
        partition = objects.add(new Partition(ids.next()));
        cspace = objects.add(new CSpace(ids.next(), null));
        table = new HypercallTable(List.of(new IdentifyCalls(new Random(2), () -> timeNs).rows(),
                ObjectCalls.rows(), new PartitionCalls(this::make).rows(), CSpaceCalls.rows(), DoorbellCalls.rows(),
                MsgQueueCalls.rows(), AddrspaceCalls.rows(), new MappingCalls(tree).rows(),
                new MemExtentCalls(tree).rows()));
        cspace.retain();
        cspace.configure(2048);
        cspace.activate();
        partition.activate();
        partitionCap = cspace.insertMaster(partition);
        cspaceCap = cspace.insertMaster(cspace);
        rootSpace = (Addrspace) make(ObjectType.ADDRSPACE, partition);
        rootSpaceCap = cspace.insertMaster(rootSpace);
        rootSpace.configure(255);
        rootSpace.activate();
        rootExtent = (MemExtent) make(ObjectType.MEMEXTENT, partition);
        rootExtentCap = cspace.insertMaster(rootExtent);
        rootExtent.configure(0, SPAN, ALL_RWX_SPARSE);
        rootExtent.activate();
        rootExtent.adopt(RAM, RAM_SIZE, IdSource.HYPERVISOR);
        caller = new JavaCaller(cspace, rootSpace, null);
    }

    private KernelObject make(ObjectType type, Partition owner) {
        KernelObject object = make(type, owner, ids.next());
        if (object != null) {
            made.add(objects.add(object));
        }
        return object;
    }

    private KernelObject make(ObjectType type, Partition owner, int id) {
        return switch (type) {
            case CSPACE -> new CSpace(id, random);
            case ADDRSPACE -> Addrspace.create(id, kit.system(), memory, vmids, new DevicePages());
            case MEMEXTENT -> new MemExtent(id, tree, owner);
            case DOORBELL -> new Doorbell(id, kit.system());
            case MSGQUEUE -> new MsgQueue(id, kit.system());
            case VIC -> new FakeVic(id);
            default -> null;
        };
    }

    /** {@return the object model now} */
    public MachineState state() {
        return MachineState.of(objects, owners);
    }

    /** {@return X0 of a native call} */
    public long call(int number, long... inputs) {
        return registers(number, inputs)[0];
    }

    /** {@return the registers after a native call} */
    public long[] registers(int number, long... inputs) {
        return registers(caller, number, inputs);
    }

    public long[] registers(Caller who, int number, long... inputs) {
        long[] x = new long[8];
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        table.call(who, number, x);
        return x;
    }

    /** Makes an object through its partition_create call. {@return its master capability} */
    public long create(int number) {
        long[] x = registers(number, partitionCap, cspaceCap, 0);
        if (x[0] != 0) {
            throw new AssertionError("create 0x%x: %d".formatted(number, x[0]));
        }
        return x[1];
    }

    public KernelObject object(long cap) {
        KernelObject object = (KernelObject) cspace.resolve(cap, null, 0, RequiredState.ANY);
        object.release();
        return object;
    }

    /** {@return capability of an active address space} */
    public long addrspace(int vmid) {
        long cap = create(0x03);
        must(call(0x2E, cap, vmid, 0));
        must(call(0x0C, cap, 0));
        return cap;
    }

    /** {@return capability of an active extent derived from {@code parent}} */
    public long derived(long parent, long offset, long size, long attributes) {
        long cap = create(0x04);
        must(call(0x32, cap, parent, offset, size, attributes));
        must(call(0x0C, cap, 0));
        return cap;
    }

    public static void must(long error) {
        if (error != 0) {
            throw new AssertionError(HypError.of(error).name());
        }
    }

    @Override
    public void close() {
        if (ownsKit) {
            kit.shutdownTestKit();
        }
        memory.close();
    }

    /** A VIC that counts what reaches it. */
    public static final class FakeVic extends KernelObject implements VirqController {
        public int edges;
        public int levels;
        public int clears;
        public VirqSource lastSource;
        public Runnable onAssert = () -> { };

        FakeVic(int id) {
            super(ObjectType.VIC, id);
        }

        @Override
        public synchronized HypError bind(VirqSource source, int virq) {
            if (source.boundController() != null) {
                return HypError.VIRQ_BOUND;
            }
            source.attach(this, virq);
            return HypError.OK;
        }

        @Override
        public synchronized void unbind(VirqSource source) {
            source.attach(null, -1);
        }

        @Override
        public synchronized void assertSource(VirqSource source, boolean edgeOnly) {
            lastSource = source;
            onAssert.run();
            edges++;
            levels += edgeOnly ? 0 : 1;
        }

        @Override
        public synchronized void clearSource(VirqSource source) {
            clears++;
        }

        @Override
        protected void describe(StateText text) {
            text.put("edges", edges).put("levels", levels).put("clears", clears);
        }

        @Override
        protected HypError onActivate() {
            return HypError.OK;
        }

        @Override
        protected void onDestroy() {
            // sources unbind themselves
        }
    }
}
