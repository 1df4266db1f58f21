package gunyah.vmm.driver;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Matches what RM gave a VM with who waits for it (v17 12/35): a ticket names type and label; a resource goes to the
 * ticket of its name or stays unclaimed until one comes. Thread safe; populate and unpopulate run with the monitor held
 * and must neither block nor call back.
 */
final class ResourceTickets {
    /** Somebody who waits for a resource. */
    interface Ticket {
        int type();

        int label();

        /** {@return whether the resource is taken; a refused one stays unclaimed} */
        boolean populate(Resource resource);

        void unpopulate(Resource resource);
    }

    private record Held(Ticket ticket, Resource resource) {
    }

    private final List<Ticket> tickets = new ArrayList<>();
    private final List<Held> held = new ArrayList<>();
    private final List<Resource> unclaimed = new ArrayList<>();

    /** {@return EEXIST when type and label have a ticket} */
    synchronized Errno add(Ticket ticket) {
        for (Ticket other : tickets) {
            if (other.type() == ticket.type() && other.label() == ticket.label()) {
                return Errno.EEXIST;
            }
        }
        tickets.add(ticket);
        for (Iterator<Resource> each = unclaimed.iterator(); each.hasNext();) {
            Resource resource = each.next();
            if (resource.type() == ticket.type() && resource.label() == ticket.label() && ticket.populate(resource)) {
                held.add(new Held(ticket, resource));
                each.remove();
            }
        }
        return Errno.OK;
    }

    /** Takes a ticket out; what it held is unclaimed again. Idempotent. */
    synchronized void remove(Ticket ticket) {
        tickets.remove(ticket);
        for (Iterator<Held> each = held.iterator(); each.hasNext();) {
            Held pair = each.next();
            if (pair.ticket == ticket) {
                ticket.unpopulate(pair.resource);
                unclaimed.add(pair.resource);
                each.remove();
            }
        }
    }

    /** Adds a resource RM told of. */
    synchronized void offer(Resource resource) {
        for (Ticket ticket : tickets) {
            if (ticket.type() == resource.type() && ticket.label() == resource.label() && ticket.populate(resource)) {
                held.add(new Held(ticket, resource));
                return;
            }
        }
        unclaimed.add(resource);
    }

    /** {@return resources nobody waits for} */
    synchronized List<Resource> unclaimed() {
        return List.copyOf(unclaimed);
    }
}
