package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Layout of the shared page, byte by byte. */
class RunPageTest {
    private final RunPage page = new RunPage();

    private String first40() {
        return HexFormat.of().formatHex(Arrays.copyOf(page.bytes(), 40));
    }

    @Test
    void aNewPageIsZeroAndFourKibibytes() {
        assertThat(page.bytes()).hasSize(4096).containsOnly(0);
    }

    @Test
    void anMmioStoreIsLaidOutLittleEndian() {
        page.mmioExit(0x0900_0000L, 4, true, 0x1122_3344L);

        assertThat(first40()).isEqualTo("0000000000000000" + "01000000" + "00000000" + "0000000900000000"
                + "4433221100000000" + "04000000" + "01" + "00" + "0000");
    }

    @Test
    void aStatusExitKeepsEightReasonBytesAndTheFullSize() {
        page.statusExit(Uapi.VM_STATUS_EXITED, new ExitInfo(3, 16, 0x0102_0304_0506_0708L));

        assertThat(first40()).isEqualTo("0000000000000000" + "02000000" + "00000000" + "02000000" + "0300" + "0000"
                + "10000000" + "0807060504030201" + "00000000");
    }

    @Test
    void aPageFaultCarriesTheNegativeErrorNumber() {
        page.mmioExit(1, 8, true, -1);
        page.pageFaultExit(0x4000_1000L, Errno.EPERM);

        assertThat(first40()).isEqualTo("0000000000000000" + "03000000" + "00000000" + "0010004000000000"
                + "ffffffff" + "02" + "000000" + "0000000000000000");
    }

    @Test
    void theClientsAnswersAreWhereTheLayoutSaysSo() {
        page.immediateExit(true);
        page.mmioData(0x55);
        page.mmioResume(Uapi.RESUME_FAULT);

        assertThat(page.bytes()[0]).isEqualTo((byte) 1);
        assertThat(page.bytes()[24]).isEqualTo((byte) 0x55);
        assertThat(page.bytes()[37]).isEqualTo((byte) 1);
    }
}
