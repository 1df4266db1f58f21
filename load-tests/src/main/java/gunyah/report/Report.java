package gunyah.report;

import java.util.List;
import java.util.Map;

/**
 * The result of one scenario.
 *
 * @param scenario its name
 * @param settings what it ran with, in order
 * @param columns  names of the table's columns; a unit is part of the name, {@code cpu_ms}
 * @param rows     as many cells as there are columns: strings, whole numbers (Long) or fractions (Double)
 * @param figures  single numbers about the whole, in order
 */
public record Report(String scenario, Map<String, String> settings, List<String> columns, List<List<Object>> rows,
        Map<String, Double> figures) {
    public Report {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
        for (List<Object> row : rows) {
            if (row.size() != columns.size()) {
                throw new IllegalArgumentException("%d cells for %d columns".formatted(row.size(), columns.size()));
            }
        }
    }
}
