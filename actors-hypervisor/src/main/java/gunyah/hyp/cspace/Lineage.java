package gunyah.hyp.cspace;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * All valid capabilities of one object, in whatever cspaces: the master and what was copied from it. Its lock is taken
 * after a cspace's, never before, and no object is released under it.
 */
final class Lineage {
    private final Set<Capability> valid = new LinkedHashSet<>();

    /** Adds a copy of {@code source}. {@return false when the source has been revoked or deleted meanwhile} */
    synchronized boolean add(Capability capability, Capability source) {
        return (source == null || valid.contains(source)) && valid.add(capability);
    }

    /** {@return whether the capability was valid till now, so that its reference is to be given back} */
    synchronized boolean remove(Capability capability) {
        return valid.remove(capability);
    }

    /** Revokes everything but {@code master}. {@return the revoked ones, or null when the master is not valid} */
    synchronized List<Capability> revokeCopies(Capability master) {
        if (!valid.contains(master)) {
            return null;
        }
        List<Capability> revoked = new ArrayList<>(valid.size());
        for (Capability capability : valid) {
            if (capability != master) {
                capability.markRevoked();
                revoked.add(capability);
            }
        }
        revoked.forEach(valid::remove);
        return revoked;
    }
}
