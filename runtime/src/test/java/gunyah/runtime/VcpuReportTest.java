package gunyah.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.VcpuDescription;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class VcpuReportTest {
    private static String report(String instruction) {
        return VcpuReport.of(List.of(new VcpuDescription("vm-3/vcpu-0", "halted", List.of(), 1L << 31, 0x4020_0000L,
                Collections.nCopies(31, 7L), 0x4000_0000L, 0x3C5, 1, 0x0200_0000L, 0, 0x4020_0004L, instruction,
                List.of("STAGE2_FAULT"), "")));
    }

    @Test
    void theInstructionStandsBelowItsAddress() {
        assertThat(report("stp x29, x30, [sp, #-16]!")).containsSubsequence("PC 0x0000000040200000 EL1",
                "at PC: stp x29, x30, [sp, #-16]!", "ESR_EL1 0x2000000", "x30 0x0000000000000007", "STAGE2_FAULT");
    }

    @Test
    void anInstructionThatCannotBeReadIsLeftOut() {
        assertThat(report("")).contains("PC 0x0000000040200000 EL1").doesNotContain("at PC");
    }
}
