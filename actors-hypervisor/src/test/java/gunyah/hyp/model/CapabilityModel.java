package gunyah.hyp.model;

import gunyah.hyp.HypError;
import gunyah.hyp.ObjectType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What capabilities, capability spaces and object life cycles are supposed to do, in as few words as possible: maps
 * and counters, one thread, no tables. Reference: sections 2.1 and 4 of the interface description.
 */
final class CapabilityModel {
    private static final int MAX_CAPS = 16_384;
    private static final int ACTIVATE = 1 << 31;

    enum State { INIT, ACTIVE, DESTROYED }

    /** An object: alive as long as something refers to it. */
    static class Thing {
        final ObjectType type;
        State state = State.INIT;
        /** Valid capabilities, and whatever else holds it. */
        int references;
        /** Activation needs a configuration; doorbells do not. */
        boolean configured;
        int vmid;

        Thing(ObjectType type) {
            this.type = type;
            configured = type == ObjectType.DOORBELL || type == ObjectType.VIC;
        }
    }

    static final class Space extends Thing {
        final Map<Long, Cap> caps = new HashMap<>();
        /** Every id that was ever a capability here: no other id may ever resolve. */
        final Set<Long> issued = new HashSet<>();
        int max;

        Space() {
            super(ObjectType.CSPACE);
        }
    }

    static final class Cap {
        final Thing thing;
        final int rights;
        final boolean master;
        boolean revoked;

        Cap(Thing thing, int rights, boolean master) {
            this.thing = thing;
            this.rights = rights;
            this.master = master;
        }
    }

    final List<Space> spaces = new ArrayList<>();
    final List<Thing> things = new ArrayList<>();
    private final Set<Integer> vmids = new HashSet<>();

    /** {@return what a look-up says; null error when it succeeds} */
    HypError check(Space space, long id, ObjectType type, int rights, State wanted) {
        Cap cap = space.caps.get(id);
        if (cap == null) {
            // ARGUMENT_INVALID or CAP_NULL, as the id decodes
            return HypError.CSPACE_CAP_NULL;
        }
        if (cap.revoked) {
            return HypError.CSPACE_CAP_REVOKED;
        }
        if (type != null && cap.thing.type != type) {
            return HypError.CSPACE_WRONG_OBJECT_TYPE;
        }
        if ((cap.rights & rights) != rights) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        return wanted != null && cap.thing.state != wanted ? HypError.OBJECT_STATE : null;
    }

    Thing thing(Space space, long id) {
        return space.caps.get(id).thing;
    }

    boolean full(Space space) {
        return space.caps.size() >= space.max;
    }

    /** Puts a capability into a slot whose id the implementation chose. */
    void insert(Space space, long id, Cap cap) {
        space.caps.put(id, cap);
        space.issued.add(id);
        cap.thing.references++;
    }

    HypError delete(Space space, long id) {
        Cap cap = space.caps.remove(id);
        if (cap == null) {
            return HypError.CSPACE_CAP_NULL;
        }
        if (!cap.revoked) {
            drop(cap.thing);
        }
        return HypError.OK;
    }

    /** Gives a reference back; with the last one go the object and, if it is a cspace, all its capabilities. */
    void drop(Thing thing) {
        thing.references--;
        if (thing.references > 0) {
            return;
        }
        if (thing.state == State.ACTIVE && thing.type == ObjectType.ADDRSPACE) {
            vmids.remove(thing.vmid);
        }
        thing.state = State.DESTROYED;
        if (thing instanceof Space space) {
            List<Cap> held = new ArrayList<>(space.caps.values());
            space.caps.clear();
            held.stream().filter(cap -> !cap.revoked).forEach(cap -> drop(cap.thing));
        }
    }

    /** {@return null, or why the capability cannot be copied} */
    HypError copyError(Space source, long id, Space target, int mask) {
        HypError error = check(source, id, null, 0, null);
        if (error != null) {
            return error;
        }
        if ((source.caps.get(id).rights & mask) == 0) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        return full(target) ? HypError.CSPACE_FULL : null;
    }

    HypError revokeCopies(Space space, long id) {
        HypError error = check(space, id, null, 0, null);
        if (error != null) {
            return error;
        }
        Cap master = space.caps.get(id);
        if (!master.master) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        for (Space any : spaces) {
            for (Cap cap : any.caps.values()) {
                if (cap != master && cap.thing == master.thing && !cap.revoked) {
                    cap.revoked = true;
                    cap.thing.references--;
                }
            }
        }
        return HypError.OK;
    }

    HypError activate(Thing thing) {
        if (thing.state != State.INIT) {
            return HypError.OBJECT_STATE;
        }
        if (!thing.configured || thing instanceof Space space && space.max == 0) {
            return HypError.OBJECT_CONFIG;
        }
        if (thing.type == ObjectType.ADDRSPACE && !vmids.add(thing.vmid)) {
            return HypError.BUSY;
        }
        thing.state = State.ACTIVE;
        return HypError.OK;
    }

    HypError configureSpace(Space space, long max) {
        if (max < 0 || max > MAX_CAPS) {
            return HypError.ARGUMENT_INVALID;
        }
        space.max = (int) max;
        space.configured = true;
        return HypError.OK;
    }

    HypError configureAddrspace(Thing addrspace, int vmid) {
        if (vmid == 0) {
            return HypError.ARGUMENT_INVALID;
        }
        addrspace.vmid = vmid;
        addrspace.configured = true;
        return HypError.OK;
    }

    static int activateRight() {
        return ACTIVATE;
    }
}
