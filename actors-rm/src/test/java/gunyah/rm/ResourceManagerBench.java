package gunyah.rm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Figures of the Resource Manager on the real hypervisor, by messages through true queues: lives of VMs, and 1 GiB that is
 * made a parcel of, accepted by guest code, released and reclaimed. Prints the tables of docs/performance.md.
 */
@Tag("bench")
class ResourceManagerBench {
    private static final long GIB = 1L << 30;
    private static final int LIVES = 400;

    @Test
    void livesOfVms() throws Exception {
        System.out.println("| clients | lives/s | median ms | p99 ms |\n|---|---|---|---|");
        try (RealHost host = new RealHost(3, 256L << 20)) {
            lives(host, 8, LIVES);
            for (int clients : new int[] {1, 8}) {
                long begin = System.nanoTime();
                long[] ns = lives(host, clients, LIVES);
                double seconds = (System.nanoTime() - begin) / 1e9;
                System.out.printf(Locale.ROOT, "| %d | %.0f | %.1f | %.1f |%n", clients, LIVES / seconds,
                        ns[ns.length / 2] / 1e6, ns[ns.length * 99 / 100] / 1e6);
            }
        }
    }

    private static long[] lives(RealHost host, int clients, int count) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
            List<Future<long[]>> parts = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                int slot = client;
                parts.add(threads.submit(() -> LongStream.range(0, count / clients).map(i -> {
                    long begin = System.nanoTime();
                    ManyVmsTest.live(host, slot, (int) i);
                    return System.nanoTime() - begin;
                }).toArray()));
            }
            LongStream all = LongStream.empty();
            for (Future<long[]> part : parts) {
                all = LongStream.concat(all, Arrays.stream(part.get()));
            }
            return all.sorted().toArray();
        }
    }

    @Test
    void oneGibibyteInPieces() {
        System.out.println("| | pieces | create ms | accept ms | release ms | reclaim ms | Java heap MB |");
        System.out.println("|---|---|---|---|---|---|---|");
        try (LendingMachine machine = new LendingMachine(GIB)) {
            pieces(machine, false, 4096, false);
            for (boolean share : new boolean[] {false, true}) {
                for (int piece : new int[] {2 << 20, 4096}) {
                    pieces(machine, share, piece, true);
                }
            }
        }
    }

    private static void pieces(LendingMachine machine, boolean share, int piece, boolean print) {
        long before = used();
        long[] times = new long[6];
        times[0] = System.nanoTime();
        int handle = machine.create(share, GIB, piece);
        times[1] = System.nanoTime();
        machine.accept(share, handle);
        times[2] = System.nanoTime();
        long held = used() - before;
        times[3] = System.nanoTime();
        machine.release(handle);
        times[4] = System.nanoTime();
        machine.reclaim(handle);
        times[5] = System.nanoTime();
        if (print) {
            System.out.printf(Locale.ROOT, "| %s | %d of %s | %.0f | %.0f | %.0f | %.0f | %.1f |%n",
                    share ? "share" : "lend", GIB / piece, piece == 4096 ? "4 KiB" : "2 MiB",
                    (times[1] - times[0]) / 1e6, (times[2] - times[1]) / 1e6, (times[4] - times[3]) / 1e6,
                    (times[5] - times[4]) / 1e6, held / 1e6);
        }
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
