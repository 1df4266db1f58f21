package gunyah.bench;

import java.util.Arrays;

/**
 * What a series of measurements says.
 *
 * @param name   of the line in the table
 * @param mean   nanoseconds
 * @param median nanoseconds
 * @param p999   nanoseconds; 999 of 1000 samples are not above it
 * @param count  samples
 * @param goal   for people, empty for none
 */
record Figure(String name, double mean, double median, double p999, int count, String goal) {
    static Figure of(String name, String goal, long... samples) {
        return of(name, goal, 1, samples);
    }

    /** @param calls that one sample holds */
    static Figure of(String name, String goal, int calls, long... samples) {
        long[] sorted = samples.clone();
        Arrays.sort(sorted);
        double mean = Arrays.stream(sorted).average().orElse(0) / calls;
        return new Figure(name, mean, (double) sorted[sorted.length / 2] / calls,
                (double) sorted[(int) Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.999) - 1)] / calls,
                sorted.length, goal);
    }

    String row() {
        return "| %s | %s | %s | %,d | %s |".formatted(name, micros(median), micros(p999), count, goal);
    }

    private static String micros(double ns) {
        return ns < 10_000 ? "%.2f us".formatted(ns / 1000) : "%.0f us".formatted(ns / 1000);
    }
}
