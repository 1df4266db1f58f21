package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.state.CpuExit;
import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What the translator keeps is bounded: regions of code that nobody runs any more leave the JVM with their classes. */
class RegionEvictionTest {
    private static final long CODE = 0x10_000;
    private static final int MOST = 20;
    private static final int GUESTS = 200;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_2 = 0x54FF_FFC1;
    private static final int HVC = 0xD400_0002;

    private final Translator translator = new Translator(Translator.Policy.EVERYTHING, null, RegionGates.OPEN, null,
            MOST);

    private void runGuest(int number) {
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            // mov x1, #number; subs; b.ne
            board.code(CODE, 0xD280_0001 | number << 5, SUBS_X2_X2_1, B_NE_BACK_2, HVC);
            board.cpu().x[2] = 20;
            assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
            assertThat(board.cpu().x[1]).isEqualTo(number);
        }
    }

    @Test
    void classesOfForgottenCodeAreUnloaded() {
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        runGuest(0);
        System.gc();
        long unloaded = classes.getUnloadedClassCount();
        for (int guest = 1; guest <= GUESTS; guest++) {
            runGuest(guest);
        }
        long made = translator.statistics().regions();
        assertThat(made).isGreaterThan(GUESTS);
        assertThat(translator.statistics().evicted()).isEqualTo(made - MOST);

        System.gc();

        assertThat(classes.getUnloadedClassCount() - unloaded).isGreaterThan(made - 2 * MOST - 5);
    }

    @Test
    void whatOthersLookForStays() {
        runGuest(0);
        for (int guest = 1; guest <= GUESTS; guest++) {
            runGuest(guest);
            runGuest(0);
        }

        assertThat(translator.statistics().regions()).isEqualTo(1 + GUESTS);
        assertThat(translator.statistics().shared()).isEqualTo(GUESTS);
    }
}
