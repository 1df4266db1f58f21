package gunyah.scenario;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a race of several programs comes to. */
final class Ratios {
    private Ratios() {
    }

    /** {@return the geometric mean of the programs' ratios, and the lowest} @param ratios at least one, above 0 */
    static Map<String, Double> figures(List<Double> ratios) {
        double logs = 0;
        double worst = Double.MAX_VALUE;
        for (double ratio : ratios) {
            logs += Math.log(ratio);
            worst = Math.min(worst, ratio);
        }
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("geometric_mean", Math.exp(logs / ratios.size()));
        figures.put("worst", worst);
        return figures;
    }
}
