package gunyah.rm;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.RootVmEnv;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * A small model of the hypervisor behind the hypercalls the Resource Manager makes: cspaces with rights, extents that
 * own pages, mappings that follow ownership, queues with exact-crossing interrupts, vCPUs that only have a power
 * state. Single threaded. Anything it does not know is UNIMPLEMENTED, so a wrong number or order fails a test.
 */
final class FakeHypervisor implements HypercallPort {
    static final int PAGE = 4096;
    /** W of EL0 and EL1 in the attributes of a mapping. */
    private static final int WRITES = 0x22;
    static final long RAM = 0x4000_0000L;
    static final long HLOS_SIZE = 0x1000_0000L;
    static final long RM_BASE = 0x8000_0000L;
    static final long HLOS_DTB = 0x40f0_0000L;
    static final long DEVICES = 0x0a00_0000L;
    static final long DEVICES_END = 0x1000_0000L;

    /** One object of any type; only the fields of its type are used. */
    static final class Obj {
        final ObjectType type;
        boolean active;
        int references;
        Obj parent;
        Obj cspace;
        Obj space;
        final Map<Long, Cap> caps = new TreeMap<>();
        long nextCap = 0x1000;
        final List<Mapping> mappings = new ArrayList<>();
        final List<String> ranges = new ArrayList<>();
        final Map<Long, Integer> vdevices = new TreeMap<>();
        final List<Long> unlocked = new ArrayList<>();
        int vmid;
        final Deque<byte[]> messages = new ArrayDeque<>();
        int depth;
        int messageSize;
        final Map<Integer, Line> lines = new HashMap<>();
        final Map<Integer, Obj> sources = new HashMap<>();
        IntConsumer handler = intid -> { };
        int maxVirqs;
        int maxCaps = Integer.MAX_VALUE;
        long options;
        int priority = -1;
        long slice = -1;
        int affinity = -1;
        final Map<Integer, Long> registers = new TreeMap<>();
        boolean on;
        boolean killed;
        long entry;
        long context;
        long powerFlags;
        long[] haltState;
        int checksUntilExit;

        Obj(ObjectType type) {
            this.type = type;
        }
    }

    record Cap(Obj object, int rights) {
    }

    record Line(Obj vic, int virq) {
        void fire() {
            vic.handler.accept(virq);
        }
    }

    record Mapping(Obj extent, long ipa, long offset, long size, long attributes, long flags) {
    }

    final Obj rootCspace = new Obj(ObjectType.CSPACE);
    final Obj rootAddrspace = new Obj(ObjectType.ADDRSPACE);
    final Obj rootVic = new Obj(ObjectType.VIC);
    final Obj rootExtent = new Obj(ObjectType.MEMEXTENT);
    final Obj deviceExtent = new Obj(ObjectType.MEMEXTENT);
    static final int HARDWARE_IRQ = 100;
    final Obj hardware = new Obj(ObjectType.HWIRQ);
    final Map<Long, Obj> owners = new HashMap<>();
    final Map<Long, byte[]> pages = new HashMap<>();
    final RootVmEnv env;
    int liveObjects;
    int vicLines = 2012;
    int failCall = -1;
    int callsUntilDefect;
    HypError failWith = HypError.NOMEM;

    FakeHypervisor(int cpus) {
        rootVic.maxVirqs = 2012;
        for (long page = RAM; page < RM_BASE + 0x10_0000; page += PAGE) {
            if (page < RAM + HLOS_SIZE || page >= RM_BASE) {
                owners.put(page, rootExtent);
            }
        }
        for (long page = DEVICES; page < DEVICES_END; page += PAGE) {
            owners.put(page, deviceExtent);
        }
        rootAddrspace.mappings.add(new Mapping(rootExtent, RM_BASE, RM_BASE, 0x10_0000, 0xf0066, 1));
        Obj partition = new Obj(ObjectType.PARTITION);
        rootExtent.parent = partition;
        deviceExtent.parent = partition;
        env = new RootVmEnv(install(partition), install(rootCspace), install(rootAddrspace),
                install(new Obj(ObjectType.THREAD)), install(rootVic), install(rootExtent),
                install(deviceExtent), RM_BASE, 0x10_0000, RAM, HLOS_SIZE, 0x4100_0000L, HLOS_DTB,
                cpus, Map.of(HARDWARE_IRQ, install(hardware)));
        rootCspace.caps.values().forEach(cap -> cap.object.active = true);
    }

    private long install(Obj object) {
        return put(rootCspace, new Cap(object, Rights.ALL));
    }

    private long put(Obj cspace, Cap cap) {
        refuse(cspace.caps.size() >= cspace.maxCaps, HypError.CSPACE_FULL);
        long id = cspace.nextCap;
        cspace.nextCap += 0x11;
        cspace.caps.put(id, cap);
        cap.object.references++;
        return id;
    }

    /** {@return the object behind a cap of this cspace} */
    Obj object(Obj cspace, long cap) {
        Cap found = cspace.caps.get(cap);
        if (found == null) {
            throw new Refused(HypError.CSPACE_CAP_NULL);
        }
        return found.object;
    }

    /** {@return the only object of the root cspace that has this VMID, its address space} */
    Obj addrspace(int vmid) {
        return rootCspace.caps.values().stream().map(Cap::object)
                .filter(o -> o.type == ObjectType.ADDRSPACE && o.vmid == vmid).findFirst().orElseThrow();
    }

    /** {@return the cspace of a VM that has vCPUs} */
    Obj cspace(int vmid) {
        return all(ObjectType.THREAD).stream().filter(o -> o.space != null && o.space.vmid == vmid).findFirst()
                .orElseThrow().cspace;
    }

    List<Obj> all(ObjectType type) {
        return rootCspace.caps.values().stream().map(Cap::object).filter(o -> o.type == type).toList();
    }

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final HypError error;

        Refused(HypError error) {
            super(error.name());
            this.error = error;
        }
    }

    @Override
    public void call(int number, long[] x) {
        if (callsUntilDefect > 0 && --callsUntilDefect == 0) {
            throw new IllegalStateException("a defect, on purpose, at hypercall 0x%02x".formatted(number));
        }
        long[] in = x.clone();
        Arrays.fill(x, 0);
        try {
            if (number == failCall) {
                throw new Refused(failWith);
            }
            dispatch(number, in, x);
        } catch (Refused refused) {
            x[0] = refused.error.code();
        }
    }

    private void dispatch(int n, long[] in, long[] x) {
        switch (n) {
            case 0x00 -> x[1] = 0x10000eff;
            case 0x02 -> x[1] = create(ObjectType.CSPACE);
            case 0x03 -> x[1] = create(ObjectType.ADDRSPACE);
            case 0x04 -> x[1] = create(ObjectType.MEMEXTENT);
            case 0x05 -> x[1] = create(ObjectType.THREAD);
            case 0x06 -> x[1] = create(ObjectType.DOORBELL);
            case 0x07 -> x[1] = create(ObjectType.MSGQUEUE);
            case 0x0a -> x[1] = create(ObjectType.VIC);
            case 0x0b -> x[1] = create(ObjectType.VPM_GROUP);
            case 0x0c -> {
                Obj object = object(rootCspace, in[0]);
                refuse(object.active, HypError.OBJECT_STATE);
                object.active = true;
            }
            case 0x10 -> bind(arg(in[0], ObjectType.DOORBELL, true), 0, in[1], in[2]);
            case 0x17 -> bind(arg(in[0], ObjectType.MSGQUEUE, true), 0, in[1], in[2]);
            case 0x18 -> bind(arg(in[0], ObjectType.MSGQUEUE, true), 1, in[1], in[2]);
            case 0x5c -> bind(arg(in[0], ObjectType.THREAD, true), (int) in[3], in[1], in[2]);
            case 0x26 -> bind(arg(in[0], ObjectType.HWIRQ, true), 0, in[1], in[2]);
            case 0x27 -> unbind(arg(in[0], ObjectType.HWIRQ, true), 0);
            case 0x14 -> arg(in[0], ObjectType.DOORBELL, true);
            case 0x1d -> arg(in[0], ObjectType.MSGQUEUE, true).messages.clear();
            case 0x11, 0x19 -> unbind(object(rootCspace, in[0]), 0);
            case 0x1a -> unbind(object(rootCspace, in[0]), 1);
            case 0x5d -> unbind(object(rootCspace, in[0]), (int) in[1]);
            case 0x1b -> {
                byte[] message = new byte[(int) in[1]];
                read(in[2], message, 0, message.length);
                Obj queue = arg(in[0], ObjectType.MSGQUEUE, true);
                refuse(!send(queue, message), HypError.MSGQUEUE_FULL);
                x[1] = queue.messages.size() < queue.depth ? 1 : 0;
            }
            case 0x1c -> {
                Obj queue = arg(in[0], ObjectType.MSGQUEUE, true);
                byte[] message = receive(queue);
                refuse(message == null, HypError.MSGQUEUE_EMPTY);
                write(in[1], message, 0, message.length);
                x[1] = message.length;
                x[2] = queue.messages.isEmpty() ? 0 : 1;
            }
            case 0x21 -> {
                Obj queue = arg(in[0], ObjectType.MSGQUEUE, false);
                queue.depth = (int) in[1] & 0xffff;
                queue.messageSize = (int) (in[1] >>> 16);
            }
            case 0x22 -> delete(arg(in[0], ObjectType.CSPACE, true), in[1]);
            case 0x23 -> {
                Cap cap = arg(in[0], ObjectType.CSPACE, true).caps.get(in[1]);
                refuse((cap.rights & (int) in[3]) == 0, HypError.CSPACE_INSUFFICIENT_RIGHTS);
                x[1] = put(arg(in[2], ObjectType.CSPACE, true), new Cap(cap.object, cap.rights & (int) in[3]));
            }
            case 0x25 -> arg(in[0], ObjectType.CSPACE, false).maxCaps = (int) in[1];
            case 0x28 -> {
                refuse(in[2] > vicLines, HypError.ARGUMENT_INVALID);
                arg(in[0], ObjectType.VIC, false).maxVirqs = (int) in[2];
            }
            case 0x67 -> arg(in[0], ObjectType.VIC, false);
            case 0x3e -> {
                attach(in, ObjectType.CSPACE);
                object(rootCspace, in[1]).cspace = object(rootCspace, in[0]);
            }
            case 0x2a -> {
                attach(in, ObjectType.ADDRSPACE);
                object(rootCspace, in[1]).space = object(rootCspace, in[0]);
            }
            case 0x29 -> attach(in, ObjectType.VIC);
            case 0x3c -> attach(in, ObjectType.VPM_GROUP);
            case 0x2b -> {
                Obj space = arg(in[0], ObjectType.ADDRSPACE, true);
                refuse((in[4] & 1) == 0, HypError.ARGUMENT_INVALID);
                refuse(((in[2] | in[5] | in[6]) & PAGE - 1) != 0, HypError.ARGUMENT_ALIGNMENT);
                space.mappings.add(new Mapping(arg(in[1], ObjectType.MEMEXTENT, true), in[2], in[5], in[6], in[3],
                        in[4]));
            }
            case 0x2c -> {
                Obj space = arg(in[0], ObjectType.ADDRSPACE, true);
                Obj extent = arg(in[1], ObjectType.MEMEXTENT, true);
                refuse(!space.mappings.removeIf(m -> m.extent == extent && m.ipa == in[2] && m.offset == in[4]
                        && m.size == in[5]), HypError.ADDR_INVALID);
            }
            case 0x2e -> arg(in[0], ObjectType.ADDRSPACE, false).vmid = (int) in[1];
            case 0x60 -> arg(in[0], ObjectType.ADDRSPACE, true).ranges
                    .add("%d:%x-%x".formatted(in[3], in[1], in[1] + in[2]));
            case 0x62 -> arg(in[0], ObjectType.ADDRSPACE, true).vdevices.put(in[3], (int) in[2]);
            case 0x30 -> {
                Obj extent = arg(in[0], ObjectType.MEMEXTENT, true);
                for (long page = in[2]; page < in[2] + in[3]; page += PAGE) {
                    refuse(owners.get(page) != extent, HypError.MEMDB_NOT_OWNER);
                    pages.remove(page);
                }
            }
            case 0x32 -> arg(in[0], ObjectType.MEMEXTENT, false).parent = arg(in[1], ObjectType.MEMEXTENT, true);
            case 0x61 -> donate((int) in[0], object(rootCspace, in[1]), object(rootCspace, in[2]), in[3], in[4]);
            case 0x34 -> arg(in[0], ObjectType.THREAD, false).options = in[1];
            case 0x46 -> arg(in[0], ObjectType.THREAD, false).priority = (int) in[1];
            case 0x47 -> arg(in[0], ObjectType.THREAD, false).slice = in[1];
            case 0x3d -> {
                refuse(in[2] != -1, HypError.ARGUMENT_INVALID);
                object(rootCspace, in[0]).affinity = (int) in[1];
            }
            case 0x64 -> {
                refuse(in[1] == 0 && in[2] > 30, HypError.ARGUMENT_INVALID);
                arg(in[0], ObjectType.THREAD, true).registers.put((int) (in[1] << 8 | in[2]), in[3]);
            }
            case 0x38 -> {
                Obj vcpu = arg(in[0], ObjectType.THREAD, true);
                refuse(vcpu.on, HypError.BUSY);
                vcpu.on = true;
                vcpu.entry = in[1];
                vcpu.context = in[2];
                vcpu.powerFlags = in[3];
            }
            case 0x3a -> arg(in[0], ObjectType.THREAD, true).killed = true;
            case 0x68 -> check(arg(in[0], ObjectType.THREAD, true), x);
            case 0x69 -> arg(in[0], ObjectType.ADDRSPACE, true).unlocked.add(in[1]);
            case 0x66 -> arg(in[0], ObjectType.VPM_GROUP, false).options = in[1];
            default -> throw new Refused(HypError.UNIMPLEMENTED);
        }
    }

    private static void refuse(boolean when, HypError error) {
        if (when) {
            throw new Refused(error);
        }
    }

    private Obj arg(long cap, ObjectType type, boolean active) {
        Obj object = object(rootCspace, cap);
        refuse(object.type != type, HypError.CSPACE_WRONG_OBJECT_TYPE);
        refuse(object.active != active, HypError.OBJECT_STATE);
        return object;
    }

    private long create(ObjectType type) {
        liveObjects++;
        return install(new Obj(type));
    }

    private void attach(long[] in, ObjectType type) {
        arg(in[0], type, true);
        arg(in[1], ObjectType.THREAD, false);
    }

    private void delete(Obj cspace, long id) {
        Cap cap = cspace.caps.remove(id);
        refuse(cap == null, HypError.CSPACE_CAP_NULL);
        if (--cap.object.references == 0) {
            liveObjects--;
            destroy(cap.object);
        }
    }

    private void destroy(Obj object) {
        owners.replaceAll((page, owner) -> owner == object ? object.parent : owner);
        List.copyOf(object.lines.keySet()).forEach(kind -> unbind(object, kind));
        rootCspace.caps.values().forEach(cap -> cap.object.mappings.removeIf(m -> m.extent == object));
    }

    private void bind(Obj source, int kind, long vicCap, long virq) {
        Obj vic = arg(vicCap, ObjectType.VIC, true);
        refuse(source.lines.containsKey(kind), HypError.VIRQ_BOUND);
        refuse(vic.sources.putIfAbsent((int) virq, source) != null, HypError.BUSY);
        source.lines.put(kind, new Line(vic, (int) virq));
    }

    private void unbind(Obj source, int kind) {
        Line line = source.lines.remove(kind);
        if (line != null) {
            line.vic.sources.remove(line.virq);
        }
    }

    /** Sends without PUSH. {@return false when full} */
    boolean send(Obj queue, byte[] message) {
        if (queue.messages.size() == queue.depth) {
            return false;
        }
        queue.messages.add(message);
        if (queue.messages.size() == 1) {
            queue.lines.get(1).fire();
        }
        return true;
    }

    byte[] receive(Obj queue) {
        byte[] message = queue.messages.poll();
        if (message != null && queue.messages.size() == queue.depth - 1) {
            queue.lines.get(0).fire();
        }
        return message;
    }

    private void donate(int type, Obj from, Obj to, long offset, long size) {
        Obj child = type == 0 || type == 3 ? to : from;
        Obj parent = type == 0 || type == 3 ? from : to;
        refuse(type == 2 ? from.parent == null || from.parent != to.parent : child.parent != parent,
                HypError.ARGUMENT_INVALID);
        refuse(size <= 0, HypError.ARGUMENT_SIZE);
        for (long page = offset; page < offset + size; page += PAGE) {
            refuse(owners.get(page) != from, HypError.MEMDB_NOT_OWNER);
        }
        for (long page = offset; page < offset + size; page += PAGE) {
            owners.put(page, to);
        }
    }

    private static void check(Obj vcpu, long[] x) {
        if (vcpu.haltState != null && !vcpu.killed) {
            System.arraycopy(vcpu.haltState, 0, x, 1, vcpu.haltState.length);
            return;
        }
        refuse(!vcpu.killed || vcpu.checksUntilExit-- > 0, HypError.BUSY);
        x[1] = 2;
        x[2] = 1;
    }

    /** Halts a vCPU as SYSTEM_OFF, SYSTEM_RESET or a fault would. */
    void halt(Obj vcpu, long... state) {
        vcpu.haltState = state;
        vcpu.lines.get(0).fire();
    }

    @Override
    public void smccc(long[] x) {
        x[0] = -1;
    }

    @Override
    public void read(long ipa, byte[] target, int offset, int length) {
        Mapping mapping = find(rootAddrspace, ipa);
        if (mapping != null) {
            checkOnlyReader((ipa - mapping.ipa + mapping.offset) & -PAGE, length);
        }
        access(rootAddrspace, ipa, target, offset, length, false);
    }

    @Override
    public void write(long ipa, byte[] source, int offset, int length) {
        access(rootAddrspace, ipa, source, offset, length, true);
    }

    // What the Resource Manager reads it also checks, so nobody may write it meanwhile.
    private void checkOnlyReader(long first, int length) {
        for (Obj space : all(ObjectType.ADDRSPACE)) {
            for (Mapping m : space == rootAddrspace ? List.<Mapping>of() : space.mappings) {
                for (long page = first; page < first + length; page += PAGE) {
                    if (page >= m.offset && page < m.offset + m.size && owners.get(page) == m.extent
                            && (m.attributes & WRITES) != 0) {
                        throw new AssertionError("VM %d can write what is read at %x".formatted(space.vmid, page));
                    }
                }
            }
        }
    }

    /** Reads or writes memory as the VM with this address space can. */
    void access(Obj space, long ipa, byte[] bytes, int offset, int length, boolean write) {
        for (int i = 0; i < length; i++) {
            long at = ipa + i;
            Mapping mapping = find(space, at);
            if (mapping == null) {
                throw new ExternalAbort(at);
            }
            long pa = at - mapping.ipa + mapping.offset;
            byte[] page = pages.computeIfAbsent(pa & -PAGE, p -> new byte[PAGE]);
            if (write) {
                page[(int) pa & PAGE - 1] = bytes[offset + i];
            } else {
                bytes[offset + i] = page[(int) pa & PAGE - 1];
            }
        }
    }

    /** {@return the mapping that translates this IPA, or null} */
    Mapping find(Obj space, long ipa) {
        for (Mapping m : space.mappings) {
            if (ipa >= m.ipa && ipa < m.ipa + m.size
                    && owners.get(ipa - m.ipa + m.offset & -PAGE) == m.extent) {
                return m;
            }
        }
        return null;
    }

    @Override
    public void onInterrupt(IntConsumer handler) {
        rootVic.handler = handler;
    }
}
