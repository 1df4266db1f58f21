package gunyah.arm64.translate;

import java.util.HashMap;
import java.util.Map;

/**
 * Places that wait for their regions: HotSpot takes tens of milliseconds for each, so what is hottest comes first, however
 * long others wait. A place is there once, with its latest heat. Thread safe.
 */
final class RequestQueue {
    /** Few enough to look through for each region. */
    static final int MOST = 256;

    /**
     * A place.
     *
     * @param heat instructions that were interpreted from there on
     * @param hot  false: only a region that another process kept is worth it
     */
    record Request(HotCode code, int slot, int heat, boolean hot) {
    }

    private record Place(HotCode code, int slot) {
    }

    private final Map<Place, Request> waiting = new HashMap<>();

    /** Replaces an earlier request for the place; when there are too many, the coldest is forgotten. */
    synchronized void add(Request request) {
        waiting.put(new Place(request.code, request.slot), request);
        if (waiting.size() > MOST) {
            Request coldest = request;
            for (Request each : waiting.values()) {
                coldest = each.heat < coldest.heat ? each : coldest;
            }
            remove(coldest);
        }
        notifyAll();
    }

    /** {@return the hottest, when there is one} */
    synchronized Request take() throws InterruptedException {
        while (waiting.isEmpty()) {
            wait();
        }
        return poll();
    }

    /** {@return the hottest, or null} */
    synchronized Request poll() {
        Request hottest = null;
        for (Request each : waiting.values()) {
            hottest = hottest == null || each.heat > hottest.heat ? each : hottest;
        }
        if (hottest != null) {
            remove(hottest);
        }
        return hottest;
    }

    private void remove(Request request) {
        waiting.remove(new Place(request.code, request.slot));
    }

    synchronized int size() {
        return waiting.size();
    }
}
