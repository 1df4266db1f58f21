package gunyah.arm64.translate;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** MRS of pointers in translated code: the value where it may be read, else UNDEFINED. EL0 is the guest programs'. */
class PointerEmitterTest {
    private static final long CODE = 0x10_000;
    private static final int MRS_X5 = 0xD530_0005;
    private static final int SP_EL0 = key(3, 0, 4, 1, 0);
    private static final int TPIDR_EL1 = key(3, 0, 13, 0, 4);
    private static final int TPIDR_EL0 = key(3, 3, 13, 0, 2);
    private static final int TPIDRRO_EL0 = key(3, 3, 13, 0, 3);
    private static final int ESR_EL1 = key(3, 0, 5, 2, 0);
    private static final long VALUE = 0x5a50;

    @ParameterizedTest
    @CsvSource({"1, true", "0, false"})
    void whatIsReadIsWhatWasWritten(int spSel, boolean stackIsReadable) {
        for (int register : List.of(SP_EL0, TPIDR_EL1, TPIDR_EL0, TPIDRRO_EL0)) {
            Translator translator = new Translator(Translator.Policy.EVERYTHING);
            try (FlatBoard board = new FlatBoard(2 << 20, 1, translator)) {
                Cpu cpu = board.cpu();
                board.fillWithStops();
                cpu.s.switchStack(1, spSel);
                cpu.s.writeSpEl0(register == SP_EL0 ? VALUE : 0);
                if (register != SP_EL0) {
                    cpu.sys.write(register, VALUE);
                }
                cpu.sys.write(ESR_EL1, -1);
                cpu.x[5] = 1;

                board.execute(CODE, MRS_X5 | (register & 0x7FFF) << 5);

                boolean readable = register != SP_EL0 || stackIsReadable;
                assertThat(cpu.x[5]).as("%x", register).isEqualTo(readable ? VALUE : 1);
                assertThat(cpu.sys.read(ESR_EL1) >>> 26 == 0).as("UNDEFINED").isNotEqualTo(readable);
                assertThat(translator.statistics().regions()).isPositive();
            }
        }
    }
}
