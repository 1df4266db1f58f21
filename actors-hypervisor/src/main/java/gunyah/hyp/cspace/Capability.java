package gunyah.hyp.cspace;

import gunyah.hyp.KernelObject;

/**
 * One entry of a capability space: an object and the rights to it. Immutable but for revocation, which its lineage
 * does under its lock and look-ups read without.
 */
final class Capability {
    private final KernelObject object;
    private final int rights;
    private final Lineage lineage;
    private final boolean master;
    private volatile boolean revoked;

    Capability(KernelObject object, int rights, Lineage lineage, boolean master) {
        this.object = object;
        this.rights = rights;
        this.lineage = lineage;
        this.master = master;
    }

    KernelObject object() {
        return object;
    }

    int rights() {
        return rights;
    }

    Lineage lineage() {
        return lineage;
    }

    boolean master() {
        return master;
    }

    boolean revoked() {
        return revoked;
    }

    void markRevoked() {
        revoked = true;
    }
}
