package gunyah.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RendererTest {
    private static final Report REPORT = new Report("two", Map.of("guests", "2"), List.of("guest", "cpu_ms"),
            List.of(List.of(0L, 1.5), List.of("x\"y", 12.25)), Map.of("jain", 0.5));

    @Test
    void theTableIsAligned() {
        assertThat(Renderer.text(REPORT)).isEqualTo("""
                two  guests 2
                guest   cpu_ms
                    0   1.5000
                  x"y  12.2500
                jain 0.5000
                """);
    }

    @Test
    void theJsonHasRowsByColumnName() {
        assertThat(Renderer.json(REPORT)).isEqualTo(
                "{\"scenario\":\"two\",\"settings\":{\"guests\":\"2\"},\"rows\":[{\"guest\":0,\"cpu_ms\":1.5},"
                + "{\"guest\":\"x\\\"y\",\"cpu_ms\":12.25}],\"jain\":0.5}\n");
    }

    @Test
    void jainIsOneForEqualSharesAndOneOfNForOneTaker() {
        assertThat(Fairness.jain(3, 3, 3)).isEqualTo(1);
        assertThat(Fairness.jain(0, 0, 9, 0)).isEqualTo(0.25);
        assertThat(Fairness.jain(1, 2, 4)).isCloseTo(49.0 / 63, offset(1e-12));
        assertThat(Fairness.jain(0, 0)).isEqualTo(1);
    }
}
