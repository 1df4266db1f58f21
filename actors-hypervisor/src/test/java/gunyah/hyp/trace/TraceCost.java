package gunyah.hyp.trace;

/**
 * What an event costs: one thread, then two, each into a ring of its own and both into one. Prints nanoseconds an event;
 * the first rounds warm up. Run: {@code java -cp actors-hypervisor/target/classes:actors-hypervisor/target/test-classes
 * gunyah.hyp.trace.TraceCost}
 */
public final class TraceCost {
    private static final int EVENTS = 5_000_000;

    private TraceCost() {
    }

    public static void main(String[] args) throws InterruptedException {
        TraceBuffer buffer = new TraceBuffer(2, System::nanoTime);
        long sum = 0;
        for (int round = 0; round < 6; round++) {
            long begin = System.nanoTime();
            for (int i = 0; i < EVENTS; i++) {
                buffer.hypercall(128, 0, i, 0xC600_8000L, false, 0);
            }
            double event = perEvent(begin);
            begin = System.nanoTime();
            for (int i = 0; i < EVENTS; i++) {
                sum += buffer.now();
            }
            double clock = perEvent(begin);
            Thread other = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < EVENTS; i++) {
                    buffer.virq(128, 0, i);
                }
            });
            begin = System.nanoTime();
            for (int i = 0; i < EVENTS; i++) {
                buffer.virq(128, 0, i);
            }
            double shared = perEvent(begin);
            other.join();
            System.out.printf("event %.1f ns, of it the clock %.1f ns; two writers in one ring %.1f ns (%d)%n", event,
                    clock, shared, sum & 1);
        }
    }

    private static double perEvent(long begin) {
        return (double) (System.nanoTime() - begin) / EVENTS;
    }
}
