package gunyah.hyp.vic;

import gunyah.hyp.StateText;

/**
 * What all vCPUs of a controller share: the SPIs, the vCPU each goes to, and the enables of the groups. Guarded by the
 * controller's lock.
 */
final class Distributor {
    /** Affinity fields of a GICD_IROUTER. Interrupt_Routing_Mode is RES0: no 1 of N. */
    private static final long ROUTER_AFFINITY = 0xFF_00FF_FFFFL;
    private static final int GROUPS = 3;

    final Intids intids;
    final Lines lines;
    private final Delivery delivery;
    private final MpidrMapping mapping;
    final AccessStatus status = new AccessStatus();
    private final long[] routers;
    private int groupEnables;
    /** The frame is in an address space. */
    boolean framed;

    Distributor(Intids intids, MpidrMapping mapping, Delivery delivery) {
        this.intids = intids;
        this.mapping = mapping;
        this.delivery = delivery;
        lines = new Lines(intids.slots(), Lines.NOWHERE);
        routers = new long[intids.slots()];
    }

    void describe(StateText text) {
        text.put("groups", groupEnables).put("framed", framed).put("status", status.bits());
        lines.describe(text);
        for (int slot = Intids.FIRST_SPI; slot < routers.length; slot++) {
            if (routers[slot] != 0) {
                text.put("router." + slot, routers[slot]);
            }
        }
    }

    int groupEnables() {
        return groupEnables;
    }

    void groupEnables(int value) {
        groupEnables = value & GROUPS;
    }

    boolean enables(int group) {
        return (groupEnables >>> group & 1) != 0;
    }

    long router(int slot) {
        return routers[slot];
    }

    void router(int slot, long value) {
        routers[slot] = value & ROUTER_AFFINITY;
        route(slot);
    }

    /** A vCPU came or went. */
    void routeAll() {
        for (int slot = Intids.FIRST_SPI; slot < routers.length; slot++) {
            route(slot);
        }
    }

    private void route(int slot) {
        int affinity = (int) (routers[slot] & 0xFF_FFFF) | (int) (routers[slot] >>> 32) << 24;
        delivery.move(lines, slot, cpuOf(affinity));
    }

    private int cpuOf(int affinity) {
        for (int index = 0; index < Vic.MAX_VCPUS; index++) {
            if (delivery.cpu(index) != null && mapping.affinity(index) == affinity) {
                return index;
            }
        }
        return Lines.NOWHERE;
    }
}
