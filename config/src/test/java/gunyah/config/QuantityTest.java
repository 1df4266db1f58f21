package gunyah.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantityTest {
    @ParameterizedTest
    @CsvSource({"512M,536870912", "512 MiB,536870912", "1G,1073741824", "1.5 GiB,1610612736", "80m,83886080",
        "4096 B,4096"})
    void sizesAreBinary(String text, long bytes) {
        assertThat(Quantity.bytes(text)).isEqualTo(bytes);
    }

    @Test
    void timesKeepTheirFraction() {
        assertThat(Quantity.time("1.5 s")).isEqualTo(Duration.ofMillis(1500));
        assertThat(Quantity.time("100us")).isEqualTo(Duration.ofNanos(100_000));
        assertThat(Quantity.time("2 m")).isEqualTo(Duration.ofMinutes(2));
    }

    @ParameterizedTest
    @CsvSource({"512,has no unit", "512 MB,unknown unit 'MB'", "10 s,unknown unit 's'", "lots,not a size",
        "-5M,not a size", "0.3 B,whole number", "999999999999 T,too large"})
    void wrongSizesSayWhy(String text, String why) {
        assertThatThrownBy(() -> Quantity.bytes(text)).isInstanceOf(BadInput.class).hasMessageContaining(why);
    }

    @ParameterizedTest
    @CsvSource({"10,has no unit", "10 MiB,unknown unit 'MiB'", "soon,not a duration"})
    void wrongTimesSayWhy(String text, String why) {
        assertThatThrownBy(() -> Quantity.time(text)).isInstanceOf(BadInput.class).hasMessageContaining(why);
    }
}
