package gunyah.vmm.uapi;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A counter of events (eventfd): whoever writes it runs those who wait for it, on the writing thread. Listeners do not
 * drain it, as the driver does not. Thread safe.
 */
final class EventFd {
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private long count;

    EventFd(long count) {
        this.count = count;
    }

    void add(long events) {
        synchronized (this) {
            count += events;
        }
        listeners.forEach(Runnable::run);
    }

    /** {@return the events since the last call, 0 when there was none} */
    synchronized long take() {
        long events = count;
        count = 0;
        return events;
    }

    void listen(Runnable listener) {
        listeners.add(listener);
    }

    void ignore(Runnable listener) {
        listeners.remove(listener);
    }
}
