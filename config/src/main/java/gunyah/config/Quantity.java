package gunyah.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers with units as people write them: {@code 512 MiB}, {@code 1G}, {@code 1.5 s}. The unit is never optional, so
 * that nobody has to guess what a bare number means. Sizes are binary: K, M, G and KiB, MiB, GiB mean the same.
 */
public final class Quantity {
    private static final Pattern FORM = Pattern.compile("\\s*([0-9]{1,15}(?:\\.[0-9]{1,9})?)\\s*([A-Za-zµ]*)\\s*");
    private static final Map<String, Long> SIZES = Map.ofEntries(Map.entry("B", 1L),
            Map.entry("K", 1L << 10), Map.entry("KiB", 1L << 10), Map.entry("k", 1L << 10),
            Map.entry("M", 1L << 20), Map.entry("MiB", 1L << 20), Map.entry("m", 1L << 20),
            Map.entry("G", 1L << 30), Map.entry("GiB", 1L << 30), Map.entry("g", 1L << 30),
            Map.entry("T", 1L << 40), Map.entry("TiB", 1L << 40));
    private static final Map<String, Long> TIMES = Map.of("ns", 1L, "us", 1_000L, "µs", 1_000L, "ms", 1_000_000L,
            "s", 1_000_000_000L, "m", 60_000_000_000L, "min", 60_000_000_000L, "h", 3_600_000_000_000L);

    private Quantity() {
    }

    /**
     * {@return the size in bytes}
     *
     * @throws BadInput when {@code text} is no size, has no or an unknown unit, is no whole number of bytes, or is too
     *     large for 63 bits
     */
    public static long bytes(String text) {
        return parse(text, SIZES, "size", "K, M, G or KiB, MiB, GiB", "512M");
    }

    /**
     * {@return the time}
     *
     * @throws BadInput as {@link #bytes}
     */
    public static Duration time(String text) {
        return Duration.ofNanos(parse(text, TIMES, "duration", "ns, us, ms, s, m or h", "30 s"));
    }

    private static long parse(String text, Map<String, Long> units, String what, String known, String example) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new BadInput("'%s' is not a %s: give a number and a unit, such as %s".formatted(text, what, example));
        }
        String unit = matcher.group(2);
        if (unit.isEmpty()) {
            throw new BadInput("the %s '%s' has no unit: give one of %s, such as %s"
                    .formatted(what, text.strip(), known, example));
        }
        Long factor = units.get(unit);
        if (factor == null) {
            throw new BadInput("the %s '%s' has the unknown unit '%s': known are %s"
                    .formatted(what, text.strip(), unit, known));
        }
        try {
            return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(factor)).longValueExact();
        } catch (ArithmeticException e) {
            throw new BadInput("the %s '%s' is too large or not a whole number of the smallest unit"
                    .formatted(what, text.strip()));
        }
    }
}
