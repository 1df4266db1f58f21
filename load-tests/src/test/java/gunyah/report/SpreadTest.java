package gunyah.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void theMedianOfAnEvenNumberIsTheMiddleOfTwo() {
        assertThat(Spread.of(9, 1, 4, 2)).isEqualTo(new Spread(1, 3, 9));
    }

    @Test
    void valuesStayInTheirOrder() {
        double[] values = {3, 1, 2};

        assertThat(Spread.of(values)).isEqualTo(new Spread(1, 2, 3));
        assertThat(values).containsExactly(3, 1, 2);
    }
}
