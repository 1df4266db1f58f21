package gunyah.report;

import gunyah.runtime.JsonObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** The two forms of a {@link Report}. Stateless. */
public final class Renderer {
    private Renderer() {
    }

    /** {@return lines for people} */
    public static String text(Report report) {
        StringBuilder text = new StringBuilder(report.scenario());
        report.settings().forEach((name, value) -> text.append("  ").append(name).append(' ').append(value));
        text.append('\n');
        List<List<String>> lines = new ArrayList<>();
        lines.add(report.columns());
        for (List<Object> row : report.rows()) {
            lines.add(row.stream().map(Renderer::cell).toList());
        }
        List<Integer> widths = new ArrayList<>(Collections.nCopies(report.columns().size(), 0));
        for (List<String> line : lines) {
            for (int i = 0; i < line.size(); i++) {
                widths.set(i, Math.max(widths.get(i), line.get(i).length()));
            }
        }
        for (List<String> line : lines) {
            for (int i = 0; i < line.size(); i++) {
                text.append(i == 0 ? "" : "  ").append(" ".repeat(widths.get(i) - line.get(i).length()))
                        .append(line.get(i));
            }
            text.append('\n');
        }
        report.figures().forEach((name, value) -> text.append(name).append(' ').append(cell(value)).append('\n'));
        return text.toString();
    }

    private static String cell(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.4f", number) : value.toString();
    }

    /** {@return one JSON object, ended by a line feed} */
    public static String json(Report report) {
        StringBuilder text = new StringBuilder();
        StringBuilder settings = new StringBuilder();
        JsonObject inner = new JsonObject(settings);
        report.settings().forEach(inner::put);
        inner.end();
        StringBuilder rows = new StringBuilder("[");
        for (List<Object> row : report.rows()) {
            rows.append(rows.length() == 1 ? "" : ",");
            JsonObject cells = new JsonObject(rows);
            for (int i = 0; i < row.size(); i++) {
                put(cells, report.columns().get(i), row.get(i));
            }
            cells.end();
        }
        rows.append(']');
        JsonObject json = new JsonObject(text).put("scenario", report.scenario()).raw("settings", settings)
                .raw("rows", rows);
        report.figures().forEach((name, value) -> json.put(name, value.doubleValue()));
        json.end();
        return text.append('\n').toString();
    }

    private static void put(JsonObject json, String name, Object value) {
        switch (value) {
            case Long number -> json.put(name, number.longValue());
            case Double number -> json.put(name, number.doubleValue());
            default -> json.put(name, value.toString());
        }
    }
}
