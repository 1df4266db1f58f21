package gunyah.rm.link;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The links with something to send. It leaves when a request or a turn is done, so that a defect on the way out
 * interrupts nothing that is being decided. Belongs to the Resource Manager's actor.
 */
public final class Outbox {
    private final Set<RpcLink> links = new LinkedHashSet<>();

    public void add(RpcLink link) {
        links.add(link);
    }

    /** Sends as much as the queues take; a full one says by its interrupt when to go on. */
    public void send() {
        while (!links.isEmpty()) {
            RpcLink link = links.iterator().next();
            link.send();
            links.remove(link);
        }
    }
}
