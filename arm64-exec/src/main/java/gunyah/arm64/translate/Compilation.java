package gunyah.arm64.translate;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.management.JMException;
import javax.management.ObjectName;

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

    /** C1 would make ten times the machine code of C2 of each region, in half of C2's time, and nobody would run it. */
    private static final String ONLY_C2 = "[{match: \"%s*.run\", c1: {Exclude: true}}]"
            .formatted(RegionCompiler.CLASS_NAME.replace('.', '/'));

    private static final AtomicBoolean LEFT_TO_C2 = new AtomicBoolean();

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

    /** Tells the JVM, once, to compile regions with C2 only; without that it works longer for the same. */
    static void leaveToC2() {
        if (LEFT_TO_C2.getAndSet(true)) {
            return;
        }
        try {
            Path directives = Files.createTempFile("regions", ".json");
            try {
                Files.writeString(directives, ONLY_C2);
                ManagementFactory.getPlatformMBeanServer().invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"), "compilerDirectivesAdd",
                        new Object[] {new String[] {directives.toString()}}, new String[] {String[].class.getName()});
            } finally {
                Files.delete(directives);
            }
        } catch (IOException | JMException e) {
            System.getLogger(Compilation.class.getName()).log(System.Logger.Level.WARNING,
                    "C1 compiles regions, too: " + e.getMessage());
        }
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
