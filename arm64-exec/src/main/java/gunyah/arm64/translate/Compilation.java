package gunyah.arm64.translate;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * A region on its way through the JVM's compilers. The translator's thread only.
 *
 * <p>Calls that do nothing make HotSpot compile the method, whose thresholds are scaled down; where the program's start
 * script says so, such a call waits for the compiler. What they allocate tells who compiled it: only C2 leaves it out.
 */
final class Compilation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** Few: their profile must not tell the compiler that doing nothing is what a region is for. */
    private static final int FIRST_CALLS = 10;
    private static final long FIRST_CHECK_NS = 2_000_000;
    /** A region that is not compiled by then never is: too large, or the JVM has no room. */
    private static final long LAST_CHECK_NS = 20_000_000_000L;

    private final Region region;
    private final long startNs;
    private long waitNs = FIRST_CHECK_NS;
    private long checkNs;

    /** @param startNs when its request was taken up */
    Compilation(Region region, long startNs) {
        this.region = region;
        this.startNs = startNs;
        checkNs = System.nanoTime() + waitNs;
    }

    Region region() {
        return region;
    }

    long startNs() {
        return startNs;
    }

    /** {@return whether the region is compiled already} Blocks while the compilers work, if the JVM was told so. */
    boolean begin() {
        for (int i = 0; i < FIRST_CALLS; i++) {
            if (isCompiled()) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether it is compiled, as far as it is time to look again} */
    boolean isDone() {
        if (System.nanoTime() < checkNs) {
            return false;
        }
        waitNs += waitNs / 3;
        checkNs = System.nanoTime() + waitNs;
        return isCompiled();
    }

    boolean isHopeless() {
        return System.nanoTime() - startNs > LAST_CHECK_NS;
    }

    private boolean isCompiled() {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        region.run(null, 0, Region.NOWHERE, 0);
        return THREADS.getCurrentThreadAllocatedBytes() == before;
    }
}
