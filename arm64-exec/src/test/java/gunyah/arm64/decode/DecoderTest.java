package gunyah.arm64.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.arm64.state.CpuFeatures;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DecoderTest {
    private static final Decoder ALL = Decoder.of(new CpuFeatures(EnumSet.allOf(CpuFeatures.Feature.class)));

    @Test
    void randomWordsOfEveryRowDecodeToThatRow() {
        SplittableRandom random = new SplittableRandom(1);
        List<String> unreachable = new ArrayList<>();
        for (InstructionRow row : Decoder.rows()) {
            int hits = 0;
            for (int tries = 0; tries < 4000 && hits < 8; tries++) {
                Insn insn = ALL.decode(row.value() | random.nextInt() & ~row.mask());
                if (insn.row == row) {
                    hits++;
                } else if (insn.row != Decoder.UNALLOCATED) {
                    // only a more specific row may take words away
                    assertThat(Integer.bitCount(insn.row.mask())).as("%s takes %08x from %s", insn.row.name(),
                            insn.word, row.name()).isGreaterThan(Integer.bitCount(row.mask()));
                }
            }
            if (hits == 0) {
                unreachable.add(row.name());
            }
        }

        assertThat(unreachable).isEmpty();
    }

    @Test
    void everyRowsFeatureIsKnown() {
        CpuFeatures all = new CpuFeatures(EnumSet.allOf(CpuFeatures.Feature.class));

        assertThat(Decoder.rows()).filteredOn(row -> !all.has(row.feature())).extracting(InstructionRow::name)
                .isEmpty();
    }

    @Test
    void wordsOfAnAbsentFeatureAreUnallocated() {
        int ldaddX1X0X2 = 0xF8210040;

        assertThat(Decoder.of(CpuFeatures.DEFAULT).decode(ldaddX1X0X2).row.name()).isEqualTo("LDADD_X");
        assertThat(Decoder.of(CpuFeatures.BASE).decode(ldaddX1X0X2).row).isSameAs(Decoder.UNALLOCATED);
    }

    @Test
    void reservedWordsAreUnallocated() {
        assertThat(List.of(
                0x00000000, // udf #0
                0x12400000, // and w0, w0, #..., N = 1 in the 32-bit form
                0x9240FC00, // and x0, x0, #all ones
                0x0BC00000, // add w0, w0, w0, shift type ROR
                0x0B008000, // add w0, w0, w0, lsl #32
                0x8B205400, // add x0, x0, w0, uxtw #5
                0x52C00000, // movz w0, #0, lsl #32
                0x13407C00, // sbfm w0, w0 with N = 1
                0xB8200800)) // str w0, [x0, w0, uxtb]: option 00x
                .extracting(word -> ALL.decode(word).row.name())
                .containsOnly("UNALLOCATED");
    }

    @Test
    void equalWordsShareOneInsn() {
        assertThat(ALL.decode(0x91000421)).isSameAs(ALL.decode(0x91000421));
    }

    @Test
    void tablesThatOverlapAreRefused() {
        InstructionRow one = InstructionRow.of("ONE", "1" + "x".repeat(31), insn -> true, (cpu, insn) -> { });
        InstructionRow other = InstructionRow.of("OTHER", "x1" + "x".repeat(30), insn -> true, (cpu, insn) -> { });
        InstructionRow shorter = InstructionRow.of("SHORT", "01", insn -> true, (cpu, insn) -> { });

        assertThatThrownBy(() -> Decoder.check(List.of(one, other))).hasMessage("rows ONE and OTHER overlap");
        assertThatThrownBy(() -> Decoder.check(List.of(shorter))).hasMessageContaining("bad pattern");
        assertThatThrownBy(() -> Decoder.check(List.of(one, one))).hasMessage("two rows are called ONE");
    }
}
