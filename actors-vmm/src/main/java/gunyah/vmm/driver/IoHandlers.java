package gunyah.vmm.driver;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import java.util.function.LongConsumer;

/**
 * Guest stores the driver answers itself (v17 33/35): exact start address, optionally length and data. Thread safe;
 * after {@link #remove} returns no callback of the handler runs.
 */
final class IoHandlers {
    /**
     * One handler.
     *
     * @param length    bytes, 0 = any
     * @param dataMatch whether only {@code data} counts
     * @param action    gets the value stored; must not block
     */
    record Handler(long address, int length, boolean dataMatch, long data, LongConsumer action) {
        boolean collides(Handler other) {
            if (address != other.address) {
                return false;
            }
            if (length != 0 && other.length != 0 && length != other.length) {
                return false;
            }
            return !dataMatch || !other.dataMatch || data == other.data;
        }

        boolean takes(long at, int size, long value) {
            return address == at && (length == 0 || length == size) && (!dataMatch || data == value);
        }
    }

    private final StampedLock lock = new StampedLock();
    private volatile List<Handler> handlers = List.of();

    /** {@return EEXIST when some store would fit both it and one that is there} */
    Errno add(Handler handler) {
        long stamp = lock.writeLock();
        try {
            for (Handler other : handlers) {
                if (other.collides(handler)) {
                    return Errno.EEXIST;
                }
            }
            List<Handler> next = new ArrayList<>(handlers);
            next.add(handler);
            handlers = List.copyOf(next);
            return Errno.OK;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    void remove(Handler handler) {
        long stamp = lock.writeLock();
        try {
            List<Handler> next = new ArrayList<>(handlers);
            next.remove(handler);
            handlers = List.copyOf(next);
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** {@return whether a handler took the store} */
    boolean write(long address, int size, long value) {
        if (handlers.isEmpty()) {
            return false;
        }
        long stamp = lock.readLock();
        try {
            List<Handler> current = handlers;
            for (int i = 0; i < current.size(); i++) {
                Handler handler = current.get(i);
                if (handler.takes(address, size, value)) {
                    handler.action.accept(value);
                    return true;
                }
            }
            return false;
        } finally {
            lock.unlockRead(stamp);
        }
    }
}
