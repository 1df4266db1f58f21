package gunyah.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Lines drawn as SVG, panels side by side. Axes are linear, the vertical ones begin at 0.
 */
final class Plot {
    private static final int WIDTH = 380;
    private static final int HEIGHT = 260;
    private static final int LEFT = 56;
    private static final int TOP = 34;
    private static final int RIGHT = 16;
    private static final int BOTTOM = 44;
    private static final List<String> COLOURS = List.of("#0072b2", "#d55e00", "#009e73");

    /** Points that are joined; as many {@code x} as {@code y}. */
    record Line(String name, List<Double> x, List<Double> y) {
    }

    /** One pair of axes. At most three lines. */
    record Panel(String title, String across, List<Line> lines) {
    }

    private Plot() {
    }

    static String svg(List<Panel> panels) {
        StringBuilder svg = new StringBuilder();
        add(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                + " font-size=\"11\">", panels.size() * WIDTH, HEIGHT);
        add(svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>");
        for (int i = 0; i < panels.size(); i++) {
            add(svg, "<g transform=\"translate(%d 0)\">", i * WIDTH);
            draw(svg, panels.get(i));
            add(svg, "</g>");
        }
        add(svg, "</svg>");
        return svg.toString();
    }

    private static void draw(StringBuilder svg, Panel panel) {
        double lastX = end(panel.lines().stream().flatMap(line -> line.x().stream()).toList());
        double lastY = end(panel.lines().stream().flatMap(line -> line.y().stream()).toList());
        add(svg, "<text x=\"%d\" y=\"16\" font-weight=\"bold\">%s</text>", LEFT, panel.title());
        for (int tick = 0; tick <= 5; tick++) {
            double y = y(lastY * tick / 5, lastY);
            double x = x(lastX * tick / 5, lastX);
            add(svg, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>", LEFT, y, WIDTH - RIGHT);
            add(svg, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 6, y + 4, number(lastY * tick / 5));
            add(svg, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, HEIGHT - BOTTOM + 16,
                    number(lastX * tick / 5));
        }
        add(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", WIDTH - RIGHT, HEIGHT - 10, panel.across());
        for (int i = 0; i < panel.lines().size(); i++) {
            Line line = panel.lines().get(i);
            String colour = COLOURS.get(i);
            List<String> points = new ArrayList<>();
            for (int at = 0; at < line.x().size(); at++) {
                points.add(String.format(Locale.ROOT, "%.1f,%.1f", x(line.x().get(at), lastX),
                        y(line.y().get(at), lastY)));
            }
            add(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"%s\"/>", colour,
                    String.join(" ", points));
            add(svg, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>", LEFT + i * 110, HEIGHT - 10, colour, line.name());
        }
    }

    private static double x(double value, double last) {
        return LEFT + value / last * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double value, double last) {
        return HEIGHT - BOTTOM - value / last * (HEIGHT - TOP - BOTTOM);
    }

    /** {@return the end of an axis: 1, 2, 2.5 or 5 times a power of ten} */
    private static double end(List<Double> values) {
        double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
        if (most <= 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(most)));
        for (double step : new double[] {1, 2, 2.5, 5}) {
            if (most <= step * power) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private static String number(double value) {
        String text = String.format(Locale.ROOT, "%.3f", value);
        return text.replaceAll("\\.?0+$", "");
    }

    private static void add(StringBuilder svg, String line, Object... values) {
        svg.append(String.format(Locale.ROOT, line, values)).append('\n');
    }
}
