package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.Scenario;
import org.junit.jupiter.api.Test;

class InterruptTableTest {
    @Test
    @Scenario(62)
    void onlySharedInterruptsAreAResources() {
        InterruptTable table = new InterruptTable();
        for (int intid : new int[] {0, 31, 1020, 4095, 5120, -1}) {
            assertThat(table.request(intid, () -> { })).as("%d", intid).isFalse();
        }
        for (int intid : new int[] {32, 1019, 4096, 5119}) {
            int[] raised = new int[1];
            assertThat(table.request(intid, () -> raised[0]++)).as("%d", intid).isTrue();
            assertThat(table.request(intid, () -> { })).as("%d again", intid).isFalse();
            table.raise(intid);
            assertThat(raised[0]).isOne();
        }
    }
}
