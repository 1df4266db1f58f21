package gunyah.arm64.translate;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * How the cost of translated code grows, printed as tables: CPU time of an instruction with 1, 2 and 4 CPUs of one domain
 * that run the same code on data of their own, interpreted and translated; then time and memory of a region by its
 * length. Run it with the start script's options for the JVM; a busy machine does not change CPU time much.
 */
final class TranslationCost {
    private static final long CODE = 0x10_000;
    private static final long DATA = 0x20_0000;
    private static final int LDR_X5_X4 = 0xF940_0085;
    private static final int ADD_X5_X5_X2 = 0x8B02_00A5;
    private static final int EOR_X6_X6_X5 = 0xCA05_00C6;
    private static final int STR_X5_X4 = 0xF900_0085;
    private static final int MOV_X7 = 0xD280_0007;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE = 0x5400_0001;
    private static final int HVC = 0xD400_0002;
    private static final long ROUNDS = 20_000_000;
    private static final int REGIONS = 40;

    private TranslationCost() {
    }

    public static void main(String[] args) throws InterruptedException {
        Map<Integer, Double> interpreted = new HashMap<>();
        for (int cpus : new int[] {1, 2, 4}) {
            interpreted.put(cpus, instructionNs(cpus, false));
        }
        System.out.println("CPUs  interpreted ns  translated ns");
        for (int cpus : new int[] {1, 2, 4}) {
            System.out.printf("%4d  %14.3f  %13.3f%n", cpus, interpreted.get(cpus), instructionNs(cpus, true));
        }
        System.out.println("instructions  ms of a region  KiB of machine code  KiB of metaspace");
        for (int length : new int[] {5, 10, 20, 40, 80, 150}) {
            regions(length);
        }
    }

    /** {@return CPU nanoseconds of an instruction in a loop of six, the better of three measurements behind a warm-up} */
    private static double instructionNs(int cpus, boolean translated) throws InterruptedException {
        Translator translator = translated ? new Translator(Translator.Policy.EAGER) : null;
        try (FlatBoard board = new FlatBoard(8 << 20, cpus, translator)) {
            board.code(CODE, LDR_X5_X4, ADD_X5_X5_X2, EOR_X6_X6_X5, STR_X5_X4, SUBS_X2_X2_1,
                    B_NE | (-5 & 0x7_FFFF) << 5, HVC);
            double best = Double.MAX_VALUE;
            for (int round = 0; round < 4; round++) {
                double ns = round(board);
                best = round == 0 ? best : Math.min(best, ns);
            }
            return best;
        } finally {
            if (translator != null) {
                translator.close();
            }
        }
    }

    private static double round(FlatBoard board) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        CountDownLatch ready = new CountDownLatch(board.cpus.size());
        long[] used = new long[board.cpus.size()];
        long before = retired(board);
        for (int i = 0; i < used.length; i++) {
            Cpu cpu = board.cpus.get(i);
            int index = i;
            threads.add(Thread.ofPlatform().start(() -> {
                cpu.s.pc = CODE;
                cpu.x[2] = ROUNDS;
                cpu.x[4] = DATA + 4096L * index;
                ready.countDown();
                var bean = ManagementFactory.getThreadMXBean();
                long start = bean.getCurrentThreadCpuTime();
                cpu.run(Long.MAX_VALUE);
                used[index] = bean.getCurrentThreadCpuTime() - start;
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        long sum = 0;
        for (long each : used) {
            sum += each;
        }
        return (double) sum / (retired(board) - before);
    }

    private static long retired(FlatBoard board) {
        return board.cpus.stream().mapToLong(cpu -> cpu.s.retired).sum();
    }

    /** Many regions of that length, each of other code. */
    private static void regions(int length) throws InterruptedException {
        double code = used("Code");
        double metaspace = used("Metaspace");
        Translator translator = new Translator(new Translator.Policy(1_000, 100, true, 0));
        try (FlatBoard board = new FlatBoard(8 << 20, 1, translator)) {
            for (int region = 0; region < REGIONS; region++) {
                int[] words = new int[length + 1];
                words[0] = MOV_X7 | region << 5;
                for (int i = 1; i < length - 2; i++) {
                    words[i] = switch (i % 4) {
                        case 0 -> LDR_X5_X4 | i % 16 << 10;
                        case 1 -> ADD_X5_X5_X2;
                        case 2 -> EOR_X6_X6_X5;
                        default -> STR_X5_X4 | i % 16 << 10;
                    };
                }
                words[length - 2] = SUBS_X2_X2_1;
                words[length - 1] = B_NE | (-(length - 1) & 0x7_FFFF) << 5;
                words[length] = HVC;
                long at = CODE + 4096L * region;
                board.code(at, words);
                board.cpu().x[4] = DATA;
                long made = translator.statistics().regions();
                while (translator.statistics().regions() == made) {
                    board.cpu().x[2] = 10_000;
                    board.run(at, Long.MAX_VALUE);
                }
            }
            Translator.Statistics statistics = translator.statistics();
            System.out.printf("%12.1f  %14.1f  %19.1f  %16.1f%n",
                    (double) statistics.instructions() / statistics.regions(),
                    statistics.makingNs() / 1e6 / statistics.regions(),
                    (used("Code") - code) / statistics.regions(), (used("Metaspace") - metaspace) / statistics.regions());
        } finally {
            translator.close();
        }
    }

    /** {@return KiB in the JVM's memory pools whose name begins like that} */
    private static double used(String prefix) {
        return ManagementFactory.getMemoryPoolMXBeans().stream().filter(pool -> pool.getName().startsWith(prefix))
                .map(MemoryPoolMXBean::getUsage).mapToLong(MemoryUsage::getUsed).sum() / 1024.0;
    }
}
