package gunyah.hyp.cspace;

import gunyah.hyp.CapResult;
import gunyah.hyp.HypError;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import gunyah.hyp.RequiredState;
import gunyah.hyp.StateText;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A capability space: 64-bit ids to objects with rights (Gunyah hyp/core/cspace_twolevel). Ids are opaque: the slot
 * number times a random factor, exclusive-or a random base, both drawn per cspace.
 *
 * <p>Look-ups take no lock: slots are stored with release and loaded with acquire. Changes are made under the cspace's
 * lock; lock order: cspace, then {@link Lineage}; objects are released after both.
 */
public final class CSpace extends KernelObject {
    /** Not a capability id. */
    public static final long INVALID = -1;

    private static final int SLOTS_PER_TABLE = 64;
    private static final int TABLES = 256;
    private static final int MAX_CAPS = SLOTS_PER_TABLE * TABLES;
    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(Capability[][].class);
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Capability[].class);

    private final Capability[][] tables = new Capability[TABLES][];
    private final BitSet used = new BitSet();
    private final long factor;
    private final long base;
    private int usedCount;
    private int maxCaps;

    /** @param random draws factor and base of the ids; null for the ids 0, 1, 2, ... of a debug build */
    public CSpace(int id, RandomGenerator random) {
        super(ObjectType.CSPACE, id);
        factor = random == null ? 1 : random.nextInt(1, 0x1_0000);
        // the bound on the top word keeps every id different from INVALID
        base = random == null ? 0
                : Integer.toUnsignedLong(random.nextInt()) | random.nextLong(0xFFFF_FF00L) << 32;
    }

    /** Sets the number of slots, in INIT. {@return ARGUMENT_INVALID when a table cannot hold so many} */
    public synchronized HypError configure(long caps) {
        if (Long.compareUnsigned(caps, MAX_CAPS) > 0) {
            return HypError.ARGUMENT_INVALID;
        }
        maxCaps = (int) caps;
        return HypError.OK;
    }

    @Override
    protected synchronized HypError onActivate() {
        return maxCaps == 0 ? HypError.OBJECT_CONFIG : HypError.OK;
    }

    /** {@return slots in use, revoked capabilities included} */
    public synchronized int capCount() {
        return usedCount;
    }

    /**
     * Finds an object by capability. Checks in the documented order: the id decodes, the slot is full, the capability
     * not revoked, the object's type, the rights, the object's state.
     *
     * @param type   wanted type; null for any
     * @param rights rights wanted, all of them
     * @return the object with a reference that the caller must release, or the error
     */
    public CapResult resolve(long capId, ObjectType type, int rights, RequiredState state) {
        int slot = slotOf(capId);
        if (slot < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        Capability capability = capability(slot);
        if (capability == null) {
            return HypError.CSPACE_CAP_NULL;
        }
        if (capability.revoked()) {
            return HypError.CSPACE_CAP_REVOKED;
        }
        KernelObject object = capability.object();
        if (type != null && object.type() != type) {
            return HypError.CSPACE_WRONG_OBJECT_TYPE;
        }
        if ((capability.rights() & rights) != rights) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        if (!state.admits(object.state())) {
            return HypError.OBJECT_STATE;
        }
        // fails when another CPU deleted the last capability since it was loaded
        return object.retain() ? object : HypError.CSPACE_CAP_NULL;
    }

    /** Adds the master capability of a new object, all rights. {@return its id, or INVALID when the cspace is full} */
    public long insertMaster(KernelObject object) {
        Capability capability = new Capability(object, -1, new Lineage(), true);
        return insert(capability, null) instanceof Inserted inserted ? inserted.id() : INVALID;
    }

    /**
     * Copies a capability of this cspace into another (or the same).
     *
     * @param newId receives the id in {@code newId[1]}
     * @return OK, the errors of {@link #resolve}, INSUFFICIENT_RIGHTS when no right is left, CSPACE_FULL
     */
    public HypError copyTo(long capId, CSpace target, int rightsMask, long[] newId) {
        int slot = slotOf(capId);
        if (slot < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        Capability source = capability(slot);
        if (source == null) {
            return HypError.CSPACE_CAP_NULL;
        }
        if (source.revoked()) {
            return HypError.CSPACE_CAP_REVOKED;
        }
        int rights = source.rights() & rightsMask;
        if (rights == 0) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        Capability copy = new Capability(source.object(), rights, source.lineage(), false);
        switch (target.insert(copy, source)) {
            case Inserted(long id) -> {
                newId[1] = id;
                return HypError.OK;
            }
            case Refused(HypError error) -> {
                return error == HypError.CSPACE_CAP_REVOKED && !source.revoked() ? HypError.CSPACE_CAP_NULL : error;
            }
        }
    }

    /** Deletes a capability, valid or revoked; the object goes with its last reference. */
    public HypError delete(long capId) {
        int slot = slotOf(capId);
        if (slot < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        Capability capability;
        synchronized (this) {
            capability = capability(slot);
            if (capability == null) {
                return HypError.CSPACE_CAP_NULL;
            }
            free(slot);
        }
        if (capability.lineage().remove(capability)) {
            capability.object().release();
        }
        return HypError.OK;
    }

    /** Revokes every other capability of a master's object, in every cspace. */
    public HypError revokeCopies(long masterId) {
        int slot = slotOf(masterId);
        if (slot < 0) {
            return HypError.ARGUMENT_INVALID;
        }
        Capability master = capability(slot);
        if (master == null) {
            return HypError.CSPACE_CAP_NULL;
        }
        if (master.revoked()) {
            return HypError.CSPACE_CAP_REVOKED;
        }
        if (!master.master()) {
            return HypError.CSPACE_INSUFFICIENT_RIGHTS;
        }
        List<Capability> revoked = master.lineage().revokeCopies(master);
        if (revoked == null) {
            return HypError.CSPACE_CAP_NULL;
        }
        revoked.forEach(capability -> capability.object().release());
        return HypError.OK;
    }

    /** {@return whether some capability here that is not revoked names the object} */
    public synchronized boolean holds(KernelObject object) {
        for (int slot = used.nextSetBit(0); slot >= 0; slot = used.nextSetBit(slot + 1)) {
            Capability capability = capability(slot);
            if (capability.object() == object && !capability.revoked()) {
                return true;
            }
        }
        return false;
    }

    @Override
    protected synchronized void describe(StateText text) {
        text.put("capabilities.max", maxCaps);
        for (int slot = used.nextSetBit(0); slot >= 0; slot = used.nextSetBit(slot + 1)) {
            Capability capability = capability(slot);
            text.put("capability", slot).put("  object", capability.object());
            text.put("  rights", capability.rights() & 0xFFFF_FFFFL);
            text.put("  kind", capability.revoked() ? "revoked" : capability.master() ? "master" : "copy");
        }
    }

    @Override
    protected void onDestroy() {
        for (int slot = 0; slot < MAX_CAPS; slot++) {
            Capability capability;
            synchronized (this) {
                slot = used.nextSetBit(slot);
                if (slot < 0) {
                    return;
                }
                capability = capability(slot);
                free(slot);
            }
            if (capability.lineage().remove(capability)) {
                capability.object().release();
            }
        }
    }

    private sealed interface Insertion {
    }

    private record Inserted(long id) implements Insertion {
    }

    private record Refused(HypError error) implements Insertion {
    }

    private Insertion insert(Capability capability, Capability source) {
        if (!capability.object().retain()) {
            return new Refused(HypError.CSPACE_CAP_NULL);
        }
        Insertion result = insertRetained(capability, source);
        if (result instanceof Refused) {
            capability.object().release();
        }
        return result;
    }

    private synchronized Insertion insertRetained(Capability capability, Capability source) {
        if (usedCount >= maxCaps || state() == State.DESTROYED) {
            return new Refused(HypError.CSPACE_FULL);
        }
        if (!capability.lineage().add(capability, source)) {
            return new Refused(HypError.CSPACE_CAP_REVOKED);
        }
        int slot = used.nextClearBit(0);
        used.set(slot);
        usedCount++;
        int top = slot / SLOTS_PER_TABLE;
        if (tables[top] == null) {
            TABLE.setRelease(tables, top, new Capability[SLOTS_PER_TABLE]);
        }
        // release: pairs with the acquire in capability(), whose reader then sees the whole object
        SLOT.setRelease(tables[top], slot % SLOTS_PER_TABLE, capability);
        return new Inserted(idOf(slot));
    }

    private void free(int slot) {
        SLOT.setRelease(tables[slot / SLOTS_PER_TABLE], slot % SLOTS_PER_TABLE, (Capability) null);
        used.clear(slot);
        usedCount--;
    }

    private Capability capability(int slot) {
        Capability[] table = (Capability[]) TABLE.getAcquire(tables, slot / SLOTS_PER_TABLE);
        return table == null ? null : (Capability) SLOT.getAcquire(table, slot % SLOTS_PER_TABLE);
    }

    private long idOf(int slot) {
        long value = (long) (slot / SLOTS_PER_TABLE) << 8 | slot % SLOTS_PER_TABLE;
        return value * factor ^ base;
    }

    /** {@return the slot of an id, or -1 when it does not decode} */
    private int slotOf(long capId) {
        long product = capId ^ base;
        if (product >>> 32 != 0 || product % factor != 0) {
            return -1;
        }
        long value = product / factor;
        int inTable = (int) value & 0xFF;
        if (value > 0xFFFF || inTable >= SLOTS_PER_TABLE) {
            return -1;
        }
        return (int) (value >>> 8) * SLOTS_PER_TABLE + inTable;
    }
}
