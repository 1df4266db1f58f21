package gunyah.report;

import java.util.Arrays;

/** The median of some measurements, and the lowest and highest of them. */
public record Spread(double lowest, double median, double highest) {
    /** @param values at least one; not changed */
    public static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Spread(sorted[0], (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2,
                sorted[sorted.length - 1]);
    }
}
