package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.CSPACE_CAP_NULL;
import static gunyah.hyp.HypError.CSPACE_CAP_REVOKED;
import static gunyah.hyp.HypError.CSPACE_FULL;
import static gunyah.hyp.HypError.CSPACE_INSUFFICIENT_RIGHTS;
import static gunyah.hyp.HypError.CSPACE_WRONG_OBJECT_TYPE;
import static gunyah.hyp.HypError.OBJECT_CONFIG;
import static gunyah.hyp.HypError.OBJECT_STATE;
import static gunyah.hyp.HypError.UNIMPLEMENTED;

import gunyah.hyp.HypError;
import gunyah.hyp.ObjectType;
import java.util.List;

/** Capability spaces, life cycle, and what a wrong capability answers in every input of every call. */
final class CapabilityScript {
    private final Script script;
    private final Arena arena;
    private final Objects objects;
    private final long own;

    CapabilityScript(Script script, Arena arena, Objects objects) {
        this.script = script;
        this.arena = arena;
        this.objects = objects;
        own = arena.cspace();
    }

    void run() {
        Interface.calls().values().forEach(this::wrongCapabilities);
        copyAndRights();
        otherCspaces();
        deletion();
        revocation();
        lifeCycle();
    }

    private void wrongCapabilities(Interface.Call call) {
        script.section("wrong capability");
        List<Interface.Input> inputs = call.inputs();
        for (int at = 0; at < inputs.size(); at++) {
            Interface.Input input = inputs.get(at);
            if (input.kind() == Interface.Kind.CAPABILITY) {
                for (long id : new long[] {arena.foreign(), -1, Long.MIN_VALUE}) {
                    refuse(ARGUMENT_INVALID, call, at, id);
                }
                refuse(CSPACE_CAP_NULL, call, at, arena.deleted());
                refuse(CSPACE_CAP_REVOKED, call, at, objects.revoked());
                if (input.type() != null) {
                    refuse(CSPACE_WRONG_OBJECT_TYPE, call, at, objects.active(
                            input.type() == ObjectType.DOORBELL ? ObjectType.MSGQUEUE : ObjectType.DOORBELL));
                }
                wrongRights(call, at);
                wrongState(call, at);
            } else if (input.reserved() && script.isNative() && allThere(call)) {
                script.reserved(call.number(), good(call, -1));
            }
        }
    }

    private void wrongRights(Interface.Call call, int at) {
        Interface.Input input = call.inputs().get(at);
        long good = goodFor(input);
        if (good == 0) {
            return;
        }
        for (long bit = 1; bit <= Objects.ALL; bit <<= 1) {
            if ((input.rights() & bit) != 0) {
                long lacking = objects.copy(good, Objects.ALL & ~bit);
                refuse(CSPACE_INSUFFICIENT_RIGHTS, call, at, lacking);
                objects.delete(lacking);
            }
        }
    }

    private void wrongState(Interface.Call call, int at) {
        Interface.Input input = call.inputs().get(at);
        if (input.state() == Interface.Wanted.ACTIVE && objects.hasInit(input.type())) {
            refuse(OBJECT_STATE, call, at, objects.init(input.type()));
        } else if (input.state() == Interface.Wanted.INIT) {
            refuse(OBJECT_STATE, call, at, objects.active(input.type()));
        }
    }

    /** One input is wrong, the capabilities before it are right: they are looked at in order. */
    private void refuse(HypError error, Interface.Call call, int at, long cap) {
        for (int before = 0; before < at; before++) {
            Interface.Input input = call.inputs().get(before);
            if (input.kind() == Interface.Kind.CAPABILITY && goodFor(input) == 0) {
                return;
            }
        }
        long[] values = good(call, at);
        values[position(call, at)] = cap;
        script.fails(error, call.number(), values);
    }

    private boolean allThere(Interface.Call call) {
        return call.inputs().stream()
                .noneMatch(input -> input.kind() == Interface.Kind.CAPABILITY && goodFor(input) == 0);
    }

    private static int position(Interface.Call call, int at) {
        return (int) call.inputs().subList(0, at).stream().filter(input -> !input.reserved()).count();
    }

    private long[] good(Interface.Call call, int except) {
        return call.inputs().stream().filter(input -> !input.reserved())
                .mapToLong(input -> input.kind() == Interface.Kind.CAPABILITY ? goodFor(input) : 0).toArray();
    }

    private long goodFor(Interface.Input input) {
        if (input.type() == null) {
            return objects.init(ObjectType.DOORBELL);
        }
        return input.state() == Interface.Wanted.INIT ? objects.init(input.type()) : objects.active(input.type());
    }

    private void copyAndRights() {
        script.section("copies");
        long bell = objects.active(ObjectType.DOORBELL);
        script.ok(0x14, bell);
        long sender = objects.copy(bell, 1);
        script.ok(0x12, sender, 5).gives(0);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x13, sender, 5);
        script.ok(0x13, bell, 5).gives(5);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x23, own, sender, own, 2);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x23, own, sender, own, 0);
        // the mask has 32 bits
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x23, own, sender, own, 1L << 32);
        long again = objects.copy(sender, Objects.ALL);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x13, again, 5);
        script.ok(0x12, again, 1).gives(0);
        script.ok(0x14, bell);
        objects.delete(again);
        objects.delete(sender);
        inThatCspace(0x23, cap -> new long[] {own, cap, own, 1});
    }

    private void otherCspaces() {
        script.section("another cspace");
        long other = objects.newCspace(1);
        long bell = objects.active(ObjectType.DOORBELL);
        long there = script.ok(0x23, own, bell, other, Objects.ALL).saved();
        script.fails(CSPACE_FULL, 0x23, own, bell, other, Objects.ALL);
        for (int create = 0x02; create <= 0x0B; create++) {
            if (Interface.calls().containsKey(create)) {
                script.fails(CSPACE_FULL, create, arena.partition(), other);
            }
        }
        script.fails(CSPACE_FULL, 0x48, arena.partition(), other);
        long back = script.ok(0x23, other, there, own, 4).saved();
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x12, back, 1);
        objects.delete(back);
        script.ok(0x22, other, there);
        script.fails(CSPACE_CAP_NULL, 0x22, other, there);
        script.fails(CSPACE_CAP_NULL, 0x23, other, there, own, 1);
        script.fails(UNIMPLEMENTED, 0x01, arena.partition(), other);
        // a cspace goes with everything in it
        long made = script.ok(0x06, arena.partition(), other).saved();
        script.ok(0x0D, other, made);
        script.fails(OBJECT_STATE, 0x0D, other, made);
        objects.delete(other);
    }

    private void deletion() {
        script.section("deletion");
        long bell = objects.create(ObjectType.DOORBELL);
        long copy = objects.copy(bell, Objects.ALL);
        objects.delete(bell);
        script.fails(CSPACE_CAP_NULL, 0x0C, bell);
        script.ok(0x0C, copy);
        script.ok(0x12, copy, 1).gives(0);
        objects.delete(copy);
        script.fails(CSPACE_CAP_NULL, 0x12, copy, 1);
        inThatCspace(0x22, cap -> new long[] {own, cap}, CSPACE_CAP_REVOKED);
    }

    private void revocation() {
        script.section("revocation");
        long other = objects.newCspace(4);
        long bell = objects.activated(objects.create(ObjectType.DOORBELL));
        long here = objects.copy(bell, Objects.ALL);
        long there = script.ok(0x23, own, here, other, Objects.ALL).saved();
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x59, own, here);
        script.ok(0x59, own, bell);
        script.fails(CSPACE_CAP_REVOKED, 0x12, here, 1);
        script.fails(CSPACE_CAP_REVOKED, 0x23, other, there, own, 1);
        script.ok(0x12, bell, 1).gives(0);
        // a revoked capability keeps its slot until it is deleted
        objects.delete(here);
        script.fails(CSPACE_CAP_NULL, 0x12, here, 1);
        script.ok(0x59, own, bell);
        inThatCspace(0x59, cap -> new long[] {own, cap});
        script.fails(UNIMPLEMENTED, 0x24, own, bell);
        objects.delete(other);
        objects.delete(bell);
    }

    private void lifeCycle() {
        script.section("life cycle");
        long cspace = objects.create(ObjectType.CSPACE);
        script.fails(ARGUMENT_INVALID, 0x25, cspace, 0x1_0001);
        script.fails(ARGUMENT_INVALID, 0x25, cspace, -1);
        script.ok(0x25, cspace, 0);
        refuseActivation(OBJECT_CONFIG, cspace);
        script.ok(0x25, cspace, 1);
        script.ok(0x0D, own, cspace);
        refuseActivation(OBJECT_STATE, cspace);
        objects.delete(cspace);
        for (ObjectType type : List.of(ObjectType.ADDRSPACE, ObjectType.MEMEXTENT, ObjectType.THREAD,
                ObjectType.MSGQUEUE, ObjectType.VIC)) {
            refuseActivation(OBJECT_CONFIG, objects.init(type));
        }
        inThatCspace(0x0D, cap -> new long[] {own, cap});
        long idle = objects.copy(objects.init(ObjectType.DOORBELL), Objects.ALL >>> 1);
        script.fails(CSPACE_INSUFFICIENT_RIGHTS, 0x0D, own, idle);
        objects.delete(idle);
        script.fails(UNIMPLEMENTED, 0x0E, objects.active(ObjectType.DOORBELL));
        script.fails(UNIMPLEMENTED, 0x0F, own, objects.active(ObjectType.DOORBELL));
    }

    private void refuseActivation(HypError error, long cap) {
        script.fails(error, 0x0C, cap);
        script.fails(error, 0x0D, own, cap);
    }

    private interface Inputs {
        long[] of(long cap);
    }

    /** The capability that a call looks up in the cspace that it names. */
    private void inThatCspace(int number, Inputs inputs, HypError... butNot) {
        script.fails(ARGUMENT_INVALID, number, inputs.of(arena.foreign()));
        script.fails(CSPACE_CAP_NULL, number, inputs.of(arena.deleted()));
        if (!List.of(butNot).contains(CSPACE_CAP_REVOKED)) {
            script.fails(CSPACE_CAP_REVOKED, number, inputs.of(objects.revoked()));
        }
    }
}
