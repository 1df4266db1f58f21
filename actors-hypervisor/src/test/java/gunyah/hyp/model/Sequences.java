package gunyah.hyp.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Runs random command sequences against a subject and its model. A command is a few random numbers that the subject
 * gives meaning to in whatever state it is, so any part of a sequence is a sequence: a failing one is made shorter, as
 * long as it fails, before it is reported with its seed.
 *
 * <p>{@code -Dgunyah.sequences=N} sets how many run, {@code -Dgunyah.seed=S} where they start; sequence i has seed S + i.
 */
public final class Sequences {
    /** Numbers of one command. */
    public static final int WIDTH = 8;

    /** What the commands are executed on: the implementation, the model and the comparison of both. */
    public interface Subject extends AutoCloseable {
        /** Executes one command on both. @return what it was, for people */
        String step(int[] numbers);

        /** Compares both completely. */
        void compare();

        @Override
        void close();
    }

    private Sequences() {
    }

    /** {@return how many sequences to run when nobody says} */
    public static int count(int defaultCount) {
        return Integer.getInteger("gunyah.sequences", defaultCount);
    }

    /** Runs them. @throws AssertionError with the shortest failing sequence found, its log and its seed */
    public static void run(int defaultCount, int length, Supplier<Subject> subjects) {
        long firstSeed = Long.getLong("gunyah.seed", 20_261_125L);
        int count = count(defaultCount);
        long steps = 0;
        for (int i = 0; i < count; i++) {
            long seed = firstSeed + i;
            Random random = new Random(seed);
            List<int[]> sequence = new ArrayList<>();
            for (int step = 1 + random.nextInt(length); step > 0; step--) {
                sequence.add(random.ints(WIDTH, 0, Integer.MAX_VALUE).toArray());
            }
            steps += sequence.size();
            Throwable failure = failure(sequence, subjects, new ArrayList<>());
            if (failure != null) {
                report(seed, sequence, failure, subjects);
            }
        }
        System.out.printf("%d sequences, %d commands from seed %d%n", count, steps, firstSeed);
    }

    private static Throwable failure(List<int[]> sequence, Supplier<Subject> subjects, List<String> log) {
        try (Subject subject = subjects.get()) {
            for (int[] command : sequence) {
                log.add(subject.step(command));
            }
            subject.compare();
            return null;
        } catch (AssertionError | RuntimeException e) {
            return e;
        }
    }

    private static void report(long seed, List<int[]> sequence, Throwable failure, Supplier<Subject> subjects) {
        List<int[]> shortest = shorten(sequence, subjects);
        List<String> log = new ArrayList<>();
        Throwable last = failure(shortest, subjects, log);
        throw new AssertionError("seed %d, %d of %d commands are enough%s:%n  %s%n  then fails: %s".formatted(seed,
                shortest.size(), sequence.size(), last == null ? " (but not every time)" : "",
                String.join("\n  ", log), last == null ? failure : last), last == null ? failure : last);
    }

    private static List<int[]> shorten(List<int[]> sequence, Supplier<Subject> subjects) {
        List<int[]> best = sequence;
        for (int chunk = Math.max(1, best.size() / 2); chunk > 0; chunk = chunk == 1 ? 0 : chunk / 2) {
            for (int at = 0; at < best.size();) {
                List<int[]> without = new ArrayList<>(best.subList(0, at));
                without.addAll(best.subList(Math.min(best.size(), at + chunk), best.size()));
                if (failure(without, subjects, new ArrayList<>()) != null) {
                    best = without;
                } else {
                    at += chunk;
                }
            }
        }
        return best;
    }
}
