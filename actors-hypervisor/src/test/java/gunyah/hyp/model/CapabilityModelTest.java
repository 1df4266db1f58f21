package gunyah.hyp.model;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.CapResult;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.Invariant;
import gunyah.hyp.JavaCaller;
import gunyah.hyp.KernelObject;
import gunyah.hyp.Machine;
import gunyah.hyp.ObjectType;
import gunyah.hyp.RequiredState;
import gunyah.hyp.Rights;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.model.CapabilityModel.Cap;
import gunyah.hyp.model.CapabilityModel.Space;
import gunyah.hyp.model.CapabilityModel.State;
import gunyah.hyp.model.CapabilityModel.Thing;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random calls on capabilities through the hypercall table, from several VMs, with forged, deleted, revoked and foreign
 * capabilities, wrong types, rights and states: every answer, and in the end every object, every slot and every
 * right, is what {@link CapabilityModel} says. At last everything is deleted and every object is gone.
 */
class CapabilityModelTest {
    private static final long[] CREATE_CALLS = {0x02, 0x03, 0x04, 0x06, 0x07, 0x0A};
    private static final ObjectType[] CREATED = {ObjectType.CSPACE, ObjectType.ADDRSPACE, ObjectType.MEMEXTENT,
            ObjectType.DOORBELL, ObjectType.MSGQUEUE, ObjectType.VIC};
    private static final int CREATE = Rights.PARTITION_OBJECT_CREATE;

    @Test
    @Invariant({12, 13, 14, 15, 16, 17})
    void everyAnswerAndEveryStateIsTheModels() {
        Set<HypError> seen = EnumSet.noneOf(HypError.class);

        Sequences.run(2000, 120, () -> new Subject(seen));

        assertThat(seen).as("answers that were compared").contains(HypError.OK, HypError.ARGUMENT_INVALID,
                HypError.CSPACE_CAP_NULL, HypError.CSPACE_CAP_REVOKED, HypError.CSPACE_WRONG_OBJECT_TYPE,
                HypError.CSPACE_INSUFFICIENT_RIGHTS, HypError.CSPACE_FULL, HypError.OBJECT_STATE,
                HypError.OBJECT_CONFIG, HypError.BUSY);
    }

    private static final class Subject implements Sequences.Subject {
        private static final int VMS = 3;

        private final Machine m = Machine.light();
        private final CapabilityModel model = new CapabilityModel();
        private final Map<Space, CSpace> real = new HashMap<>();
        private final Map<Thing, KernelObject> objects = new HashMap<>();
        private final List<Space> vmSpaces = new ArrayList<>();
        private final List<Caller> vms = new ArrayList<>();
        private final Set<HypError> seen;
        private int[] n;

        Subject(Set<HypError> seen) {
            this.seen = seen;
            Thing partition = thing(ObjectType.PARTITION, m.partition, State.ACTIVE);
            Space root = adopt(m.cspace, 2048);
            // what the machine itself was born with
            model.insert(root, m.partitionCap, new Cap(partition, -1, true));
            model.insert(root, m.cspaceCap, new Cap(root, -1, true));
            Thing rootSpace = thing(ObjectType.ADDRSPACE, m.rootSpace, State.INIT);
            model.configureAddrspace(rootSpace, 255);
            model.activate(rootSpace);
            model.insert(root, m.rootSpaceCap, new Cap(rootSpace, -1, true));
            Thing rootExtent = thing(ObjectType.MEMEXTENT, m.rootExtent, State.ACTIVE);
            model.insert(root, m.rootExtentCap, new Cap(rootExtent, -1, true));
            vmSpaces.add(root);
            vms.add(m.caller);
            for (int vm = 1; vm < VMS; vm++) {
                CSpace cspace = new CSpace(m.ids.next(), new java.util.Random(vm));
                cspace.retain();
                cspace.configure(12 * vm);
                cspace.activate();
                Space space = adopt(cspace, 12 * vm);
                vmSpaces.add(space);
                vms.add(new JavaCaller(cspace, m.rootSpace, null));
                // the root VM may reach into it, and it has the partition
                long id = m.cspace.insertMaster(cspace);
                model.insert(root, id, new Cap(space, -1, true));
                long[] x = new long[2];
                m.cspace.copyTo(m.partitionCap, cspace, -1, x);
                model.insert(space, x[1], new Cap(partition, -1, false));
                m.cspace.copyTo(id, cspace, -1, x);
                model.insert(space, x[1], new Cap(space, -1, false));
            }
        }

        /** A cspace that a VM's threads hold, so that it outlives its capabilities. */
        private Space adopt(CSpace cspace, int max) {
            Space space = new Space();
            space.max = max;
            space.configured = true;
            space.state = State.ACTIVE;
            space.references = 1;
            register(space, cspace);
            return space;
        }

        private Thing thing(ObjectType type, KernelObject object, State state) {
            Thing thing = new Thing(type);
            thing.configured = true;
            thing.state = state;
            register(thing, object);
            return thing;
        }

        private void register(Thing thing, KernelObject object) {
            model.things.add(thing);
            objects.put(thing, object);
            if (thing instanceof Space space) {
                model.spaces.add(space);
                real.put(space, (CSpace) object);
            }
        }

        @Override
        public String step(int[] numbers) {
            n = numbers;
            int vm = n[0] % VMS;
            Space caller = vmSpaces.get(vm);
            return "vm %d: ".formatted(vm) + switch (n[1] % 20) {
                case 0, 1, 2, 3 -> create(vm, caller);
                case 4, 5 -> activate(vm, caller);
                case 6 -> activateFrom(vm, caller);
                case 7, 8, 9 -> delete(vm, caller);
                case 10, 11, 12, 13, 14 -> copy(vm, caller);
                case 15 -> revokeCopies(vm, caller);
                case 16, 17 -> configure(vm, caller);
                case 18 -> n[2] % 4 == 0 ? unimplemented(vm, caller) : probe(vm, caller);
                default -> reserved(vm, caller);
            };
        }

        /** A capability id for the caller: mostly one of the right type, sometimes any, gone, foreign or forged. */
        private long pick(Space space, ObjectType type, int number) {
            int dice = number % 32;
            if (dice == 0) {
                return number * 0x9E37_79B9_7F4A_7C15L;
            }
            if (dice == 1) {
                return -1;
            }
            Space from = dice == 2 ? model.spaces.get(number / 32 % model.spaces.size()) : space;
            List<Long> ids = new ArrayList<>(new TreeMap<>(from.caps).keySet());
            if (dice == 3) {
                ids = from.issued.stream().sorted().toList();
            } else if (dice > 6 && type != null) {
                ids.removeIf(id -> from.caps.get(id).thing.type != type);
            }
            return ids.isEmpty() ? 7 : ids.get(number / 64 % ids.size());
        }

        private long call(int vm, int number, long... inputs) {
            return registers(vm, number, inputs)[0];
        }

        private long[] registers(int vm, int number, long... inputs) {
            return m.registers(vms.get(vm), number, inputs);
        }

        private void expect(String what, long x0, HypError wanted) {
            HypError got = HypError.of(x0);
            seen.add(got);
            boolean same = got == wanted
                    || wanted == HypError.CSPACE_CAP_NULL && got == HypError.ARGUMENT_INVALID;
            assertThat(same).as("%s: wanted %s, got %s", what, wanted, got).isTrue();
        }

        private String create(int vm, Space caller) {
            int kind = n[2] % CREATED.length;
            long partition = pick(caller, ObjectType.PARTITION, n[3]);
            long cspace = pick(caller, ObjectType.CSPACE, n[4]);
            String what = "create %s by %x into %x".formatted(CREATED[kind], partition, cspace);
            long[] x = registers(vm, (int) CREATE_CALLS[kind], partition, cspace, 0);
            HypError error = model.check(caller, partition, ObjectType.PARTITION, CREATE, State.ACTIVE);
            if (error == null) {
                error = model.check(caller, cspace, ObjectType.CSPACE, Rights.CSPACE_CAP_CREATE, State.ACTIVE);
            }
            if (error == null && model.full((Space) model.thing(caller, cspace))) {
                error = HypError.CSPACE_FULL;
            }
            expect(what, x[0], error == null ? HypError.OK : error);
            if (error != null) {
                assertThat(x[1]).as(what).isEqualTo(-1);
                return what + " " + error;
            }
            Thing thing = CREATED[kind] == ObjectType.CSPACE ? new Space() : new Thing(CREATED[kind]);
            register(thing, m.made.getLast());
            insert((Space) model.thing(caller, cspace), x[1], new Cap(thing, -1, true));
            return what + " = %x".formatted(x[1]);
        }

        private void insert(Space space, long id, Cap cap) {
            assertThat(space.caps).as("an id is given once").doesNotContainKey(id);
            assertThat(id).isNotEqualTo(-1);
            model.insert(space, id, cap);
        }

        private String activate(int vm, Space caller) {
            long cap = pick(caller, CREATED[n[2] % CREATED.length], n[3]);
            String what = "activate %x".formatted(cap);
            long x0 = call(vm, 0x0C, cap, 0);
            HypError error = model.check(caller, cap, null, CapabilityModel.activateRight(), null);
            error = error == null ? model.activate(model.thing(caller, cap)) : error;
            expect(what, x0, error);
            return what + " " + error;
        }

        private String activateFrom(int vm, Space caller) {
            long cspace = pick(caller, ObjectType.CSPACE, n[2]);
            HypError error = model.check(caller, cspace, ObjectType.CSPACE, Rights.CSPACE_CAP_CREATE, State.ACTIVE);
            Space space = error == null ? (Space) model.thing(caller, cspace) : caller;
            long cap = pick(space, CREATED[n[3] % CREATED.length], n[4]);
            String what = "activate %x from %x".formatted(cap, cspace);
            long x0 = call(vm, 0x0D, cspace, cap, 0);
            error = error == null ? model.check(space, cap, null, CapabilityModel.activateRight(), null) : error;
            error = error == null ? model.activate(model.thing(space, cap)) : error;
            expect(what, x0, error);
            return what + " " + error;
        }

        private String delete(int vm, Space caller) {
            long cspace = pick(caller, ObjectType.CSPACE, n[2]);
            HypError error = model.check(caller, cspace, ObjectType.CSPACE, Rights.CSPACE_CAP_DELETE, State.ACTIVE);
            Space space = error == null ? (Space) model.thing(caller, cspace) : caller;
            long cap = pick(space, null, n[3]);
            String what = "delete %x from %x".formatted(cap, cspace);
            long x0 = call(vm, 0x22, cspace, cap, 0);
            error = error == null ? model.delete(space, cap) : error;
            expect(what, x0, error);
            return what + " " + error;
        }

        private String copy(int vm, Space caller) {
            long from = pick(caller, ObjectType.CSPACE, n[2]);
            long to = pick(caller, ObjectType.CSPACE, n[3]);
            HypError error = model.check(caller, from, ObjectType.CSPACE, Rights.CSPACE_CAP_COPY, State.ACTIVE);
            Space source = error == null ? (Space) model.thing(caller, from) : caller;
            long cap = pick(source, null, n[4]);
            error = error == null
                    ? model.check(caller, to, ObjectType.CSPACE, Rights.CSPACE_CAP_CREATE, State.ACTIVE) : error;
            int mask = n[5] % 3 == 0 ? -1 : n[5] % 3 == 1 ? ~(1 << n[6] % 6) : n[6] & 0x1F;
            String what = "copy %x from %x to %x mask %x".formatted(cap, from, to, mask);
            // bits above the mask's 32 are dropped
            long[] x = registers(vm, 0x23, from, cap, to, mask & 0xFFFF_FFFFL | (long) n[7] << 33, 0);
            Space target = error == null ? (Space) model.thing(caller, to) : caller;
            error = error == null ? model.copyError(source, cap, target, mask) : error;
            expect(what, x[0], error == null ? HypError.OK : error);
            if (error != null) {
                assertThat(x[1]).as(what).isEqualTo(-1);
                return what + " " + error;
            }
            Cap original = source.caps.get(cap);
            insert(target, x[1], new Cap(original.thing, original.rights & mask, false));
            return what + " = %x".formatted(x[1]);
        }

        private String revokeCopies(int vm, Space caller) {
            long cspace = pick(caller, ObjectType.CSPACE, n[2]);
            HypError error = model.check(caller, cspace, ObjectType.CSPACE, Rights.CSPACE_CAP_REVOKE, State.ACTIVE);
            Space space = error == null ? (Space) model.thing(caller, cspace) : caller;
            long cap = pick(space, null, n[3]);
            String what = "revoke copies of %x in %x".formatted(cap, cspace);
            long x0 = call(vm, 0x59, cspace, cap, 0);
            error = error == null ? model.revokeCopies(space, cap) : error;
            expect(what, x0, error);
            return what + " " + error;
        }

        private String configure(int vm, Space caller) {
            boolean cspace = n[2] % 2 == 0;
            ObjectType type = cspace ? ObjectType.CSPACE : ObjectType.ADDRSPACE;
            long cap = pick(caller, type, n[3]);
            long value = cspace ? new long[] {0, 3, 20, 16_384, 16_385, -1}[n[4] % 6] : new int[] {0, 1, 2, 255}[n[4] % 4];
            String what = "configure %s %x with %d".formatted(type, cap, value);
            long x0 = call(vm, cspace ? 0x25 : 0x2E, cap, value, 0);
            HypError error = model.check(caller, cap, type, CapabilityModel.activateRight(), State.INIT);
            if (error == null) {
                Thing thing = model.thing(caller, cap);
                error = cspace ? model.configureSpace((Space) thing, value)
                        : model.configureAddrspace(thing, (int) value);
            }
            expect(what, x0, error);
            if (error == HypError.OK && n[5] % 2 == 0) {
                expect(what + ", activate", call(vm, 0x0C, cap, 0), model.activate(model.thing(caller, cap)));
            }
            return what + " " + error;
        }

        private String unimplemented(int vm, Space caller) {
            int number = new int[] {0x0E, 0x0F, 0x24}[n[2] % 3];
            assertThat(call(vm, number, pick(caller, null, n[3]), number == 0x0E ? 0 : pick(caller, null, n[4]), 0))
                    .isEqualTo(-1);
            return "unimplemented";
        }

        /** A call on an object: type, rights and state are looked at in this order. */
        private String probe(int vm, Space caller) {
            long cap = pick(caller, n[2] % 4 == 0 ? null : ObjectType.DOORBELL, n[3]);
            boolean send = n[4] % 2 == 0;
            String what = "doorbell_%s %x".formatted(send ? "send" : "receive", cap);
            long x0 = call(vm, send ? 0x12 : 0x13, cap, 1, 0);
            HypError error = model.check(caller, cap, ObjectType.DOORBELL,
                    send ? Rights.DOORBELL_SEND : Rights.DOORBELL_RECEIVE, State.ACTIVE);
            expect(what, x0, error == null ? HypError.OK : error);
            return what;
        }

        private String reserved(int vm, Space caller) {
            long cspace = pick(caller, ObjectType.CSPACE, n[2]);
            long cap = pick(caller, null, n[3]);
            long garbage = n[4] | 1;
            assertThat(call(vm, 0x22, cspace, cap, garbage)).isEqualTo(HypError.ARGUMENT_INVALID.code());
            assertThat(call(vm, 0x59, cspace, cap, garbage)).isEqualTo(HypError.ARGUMENT_INVALID.code());
            assertThat(registers(vm, 0x23, cspace, cap, cspace, -1, garbage))
                    .startsWith(HypError.ARGUMENT_INVALID.code(), -1, 0);
            assertThat(call(vm, 0x0C, cap, garbage)).isEqualTo(HypError.ARGUMENT_INVALID.code());
            return "reserved registers";
        }

        @Override
        public void compare() {
            for (Thing thing : model.things) {
                assertThat(objects.get(thing).state().name()).as("state of %s", thing.type)
                        .isEqualTo(thing.state.name());
            }
            for (Space space : model.spaces) {
                CSpace cspace = real.get(space);
                assertThat(cspace.capCount()).as("slots in use").isEqualTo(space.caps.size());
                assertThat(space.caps.size()).isLessThanOrEqualTo(Math.max(space.max, 4));
                for (long id : space.issued) {
                    compare(space, cspace, id);
                }
            }
        }

        private void compare(Space space, CSpace cspace, long id) {
            Cap cap = space.caps.get(id);
            if (cap == null || cap.revoked) {
                CapResult found = cspace.resolve(id, null, 0, RequiredState.ANY);
                assertThat(found).isEqualTo(cap == null ? HypError.CSPACE_CAP_NULL : HypError.CSPACE_CAP_REVOKED);
                return;
            }
            for (int bit = 0; bit < 32; bit++) {
                CapResult found = cspace.resolve(id, cap.thing.type, 1 << bit, RequiredState.ANY);
                boolean allowed = (cap.rights >>> bit & 1) != 0;
                assertThat(found).as("right %d of %x", bit, id)
                        .isSameAs(allowed ? objects.get(cap.thing) : HypError.CSPACE_INSUFFICIENT_RIGHTS);
                if (found instanceof KernelObject object) {
                    object.release();
                }
            }
        }

        @Override
        public void close() {
            for (Space space : model.spaces) {
                for (long id : List.copyOf(space.caps.keySet())) {
                    // what a destroyed cspace held went with it
                    real.get(space).delete(id);
                }
            }
            vms.forEach(vm -> vm.cspace().release());
            List<KernelObject> left = m.made.stream().filter(object -> object.state() != KernelObject.State.DESTROYED)
                    .toList();
            m.close();
            assertThat(left).as("objects that outlive their last capability").isEmpty();
        }
    }
}
